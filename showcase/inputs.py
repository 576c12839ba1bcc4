# SPDX-License-Identifier: MIT
"""Writes what the programs work on. The same bytes on every machine and in every run: a size is an amount of work, not of time."""
import os
import subprocess

# What takes about a second on a Zen 4 under KVM.
PERSONS, CLASSES, C_FUNCTIONS, COMMITS = 200000, 260, 95, 12000

QUERIES = """CREATE INDEX person_name ON person(name);
CREATE INDEX person_town ON person(town, born);
SELECT count(*), sum(length(p.name)), avg(p.born) FROM person p JOIN town t ON p.town = t.id
	WHERE t.name LIKE 'town 1%';
SELECT t.name, count(*), min(p.name), max(p.born) FROM town t JOIN person p ON p.town = t.id
	GROUP BY t.id ORDER BY 2 DESC, 1 LIMIT 20;
SELECT count(*), sum(a.born - b.born) FROM person a JOIN person b ON a.name = b.name;
SELECT born, count(DISTINCT town), group_concat(substr(name, -1), '') FROM person GROUP BY born ORDER BY 2 DESC, 1 LIMIT 3;
"""


def sql(path, seconds):
	"""What `.dump` writes: a statement per row. Then indexes, and joins through them."""
	persons = max(int(PERSONS * seconds), 100)
	towns = persons // 100
	with open(path, "w") as file:
		file.write("CREATE TABLE town(id INTEGER PRIMARY KEY, name TEXT);\n"
			   "CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT, town INTEGER, born INTEGER);\nBEGIN;\n")
		for i in range(1, towns + 1):
			file.write(f"INSERT INTO town VALUES({i},'town {i}');\n")
		for i in range(1, persons + 1):
			file.write(f"INSERT INTO person VALUES({i},'name {i * 7919 % 1000003}',{1 + i * 31 % towns},{1900 + i * 17 % 120});\n")
		file.write("COMMIT;\n" + QUERIES)


VALA_CLASS = """
public class Node%d : Object {
	public int number { get; set; default = %d; }
	public string name { get; set; }
	private GLib.List<string> words = new GLib.List<string> ();
	private HashTable<string, int> counts = new HashTable<string, int> (str_hash, str_equal);
	public signal void changed (int before, int after);
	public Node%d (string name) {
		this.name = name;
	}
	public virtual int weigh (int start, int[] weights) throws Trouble {
		int sum = start;
		foreach (int w in weights) {
			if (w < 0)
				throw new Trouble.NEGATIVE ("weight %%d of %%s is negative".printf (w, name));
			sum += w * number;
		}
		changed (number, sum);
		return sum;
	}
	public void learn (string text) {
		foreach (unowned string word in text.split (" ")) {
			words.append (word.down ());
			counts.insert (word, counts.lookup (word) + 1);
		}
	}
	public string describe () {
		var text = new StringBuilder ();
		words.foreach ((word) => {
			text.append_printf ("%%s %%d\\n", word, counts.lookup (word));
		});
		return text.str;
	}
}
"""


def vala(path, seconds):
	"""Reading GLib's declarations alone takes 0.08 s, so that the smallest has few classes."""
	with open(path, "w") as file:
		file.write("public errordomain Trouble { NEGATIVE }\n")
		for i in range(max(int(CLASSES * (seconds - 0.06)), 2)):
			file.write(VALA_CLASS % (i, i, i))


C_FUNCTION = """
static unsigned step%d(struct item *items, unsigned n, unsigned key)
{
	unsigned sum = %du, best = 0;

	for (unsigned i = 0; i < n; i++) {
		switch ((items[i].kind ^ key) %% 7) {
		case 0: sum += items[i].weight * %du; break;
		case 1: sum ^= items[i].weight >> (key & 15); break;
		case 2: items[i].kind = (unsigned char)(sum %% 251); break;
		case 3: if (items[i].weight > items[best].weight) best = i; break;
		case 4:
			for (unsigned k = 0; k < sizeof(items[i].name); k++)
				sum = sum * 31 + (unsigned char)items[i].name[k];
			break;
		default: sum -= items[best].kind;
		}
	}
	return sum + best;
}
"""


def c_source(path, seconds):
	functions = max(int(C_FUNCTIONS * seconds), 5)
	with open(path, "w") as file:
		file.write("struct item { unsigned weight; unsigned char kind; char name[16]; };\n")
		for i in range(functions):
			file.write(C_FUNCTION % (i, i, 2 * i + 3))
		file.write("\nunsigned all(struct item *items, unsigned n)\n{\n\tunsigned sum = 0;\n\n")
		file.writelines(f"\tsum = step{i}(items, n, sum);\n" for i in range(functions))
		file.write("\treturn sum;\n}\n")


def file_text(number, version):
	"""Sixty lines, three of which change with each version."""
	def word(i):
		return (i * 7 + (version if i % 20 == version % 20 else 0)) * 2654435761 % 2**32
	return "".join(f"line {i} of file {number}, {word(i):08x}\n" for i in range(60))


def history(seconds):
	"""For git fast-import: forty files, of which each commit changes two."""
	yield "reset refs/heads/main\n"
	for c in range(max(int(COMMITS * seconds), 10)):
		yield f"commit refs/heads/main\ncommitter A Nonymous <a@example.org> {1600000000 + 60 * c} +0000\n"
		yield f"data <<END\nchange {c}\nEND\n"
		for number in (range(40) if c == 0 else (c % 40, (c * 7 + 3) % 40)):
			text = file_text(number, c)
			yield f"M 100644 inline dir{number % 4}/file{number}.txt\ndata {len(text)}\n{text}\n"


def repository(path, seconds, git, env):
	subprocess.run([git, "init", "-q", "--bare", path], check=True, env=env)
	with subprocess.Popen([git, "-C", path, "fast-import", "--quiet"], stdin=subprocess.PIPE, text=True, env=env) as importer:
		importer.stdin.writelines(history(seconds))
	if importer.returncode:
		raise OSError(f"{git} fast-import failed for {os.path.basename(path)}")
