/* SPDX-License-Identifier: MIT */
/* place_image.c - program headers, ordinary and impossible ones: what place_image_read accepts is within its limits. */
#include <stdio.h>
#include <string.h>

#include "place_image.h"

static int failed;
#define CHECK(condition)                                                              \
	do {                                                                          \
		if (!(condition)) {                                                   \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			failed = 1;                                                   \
		}                                                                     \
	} while (0)

static uint64_t state = 1;
static uint64_t any(void)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return state >> 17 ^ state << 29;
}

static Elf64_Phdr header(uint32_t type, uint64_t address, uint64_t size, uint64_t align)
{
	return (Elf64_Phdr){ .p_type = type, .p_vaddr = address, .p_memsz = size, .p_filesz = size, .p_align = align };
}

static void ordinary(void)
{
	Elf64_Phdr pie[] = { header(PT_PHDR, 64, 6 * 56, 8), header(PT_INTERP, 0x3a8, 28, 1), header(PT_LOAD, 0, 0x1234, 0x1000),
			     header(PT_LOAD, 0x2000, 0x10, 0x1000), header(PT_LOAD, 0x7ff8, 0x2010, 0x1000), header(PT_DYNAMIC, 0x8000, 0x1f0, 8) };
	struct place_image image;

	CHECK(place_image_read(&image, pie, 6, 0x555555554040, 0));
	CHECK(image.bias == 0x555555554000 && image.start == image.bias && image.stop == image.bias + 0xb000);
	CHECK(image.has_loader && image.has_phdr && image.align == 4096 && image.dynamic == image.bias + 0x8000);
	CHECK(place_image_fit(&image, 0x7f0000001000, 0xb000) == 0x7f0000001000);
	CHECK(place_image_fit(&image, 0x7f0000001000, 0xa000) == 0);
	/* A loader has no PT_PHDR. */
	CHECK(place_image_read(&image, pie + 2, 4, 0x7f0000000040, 0x7f0000000000));
	CHECK(image.start == 0x7f0000000000 && !image.has_phdr && !image.has_loader);
	/* Large pages: the place is as the kernel would have chosen it. */
	pie[3].p_align = 0x200000;
	CHECK(place_image_read(&image, pie, 6, 0x555555400040, 0) && image.align == 0x200000);
	CHECK(place_image_fit(&image, 0x7f0000001000, 0xb000) == 0);
	CHECK(place_image_fit(&image, 0x7f0000001000, 0xb000 + 0x200000) == 0x7f0000200000);
	/* Fixed. */
	for (int i = 2; i < 6; i++)
		pie[i].p_vaddr += 0x400000;
	pie[0].p_vaddr += 0x400000;
	CHECK(place_image_read(&image, pie, 6, 0x400040, 0) && image.bias == 0 && image.start == 0x400000);
}

static void impossible(void)
{
	Elf64_Phdr h = header(PT_LOAD, 0x1000, 0, 0x1000);
	struct place_image image;

	CHECK(!place_image_read(&image, NULL, 0, 0, 0));
	CHECK(!place_image_read(&image, &h, 1, 0, 0));
	h = header(PT_LOAD, 0x1000, UINT64_MAX - 0x1000, 0x1000);
	CHECK(!place_image_read(&image, &h, 1, 0, 0));
	h = header(PT_LOAD, UINT64_MAX, 2, 0x1000);
	CHECK(!place_image_read(&image, &h, 1, 0, 0));
	h = header(PT_LOAD, 0, IMAGE_LIMIT + 1, 0x1000);
	CHECK(!place_image_read(&image, &h, 1, 0, 0));
	h = header(PT_LOAD, 0, 0x1000, 1ull << 40);
	CHECK(!place_image_read(&image, &h, 1, 0, 0));
	h = header(PT_LOAD, 0, 0x1000, 0x1000);
	CHECK(!place_image_read(&image, &h, 1, 0, 0x123));
	CHECK(!place_image_read(&image, &h, 1, 0, UINT64_MAX - 0xfff));
}

static void random_headers(void)
{
	int accepted = 0;

	for (int i = 0; i < 300000; i++) {
		Elf64_Phdr h[3];
		struct place_image image;
		uint64_t at = any() >> any() % 64, fit;

		for (int k = 0; k < 3; k++)
			h[k] = header((uint32_t)(any() % 7), any() >> any() % 64, any() >> any() % 64, any() % 3 ? 1ull << any() % 64 : any());
		if (!place_image_read(&image, h, 3, at, any() % 2 ? any() << 12 : 0))
			continue;
		accepted++;
		CHECK(image.start < image.stop && image.stop - image.start <= IMAGE_LIMIT);
		CHECK(!(image.start % IMAGE_PAGE) && !(image.stop % IMAGE_PAGE) && !(image.align & (image.align - 1)) && image.align >= IMAGE_PAGE);
		at &= -(uint64_t)IMAGE_PAGE;
		fit = place_image_fit(&image, at, 1 << 22);
		CHECK(!fit || (fit >= at && fit + (image.stop - image.start) <= at + (1 << 22) && !((fit - image.start) % image.align)));
	}
	CHECK(accepted > 1000);
}

int main(void)
{
	ordinary();
	impossible();
	random_headers();
	return failed;
}
