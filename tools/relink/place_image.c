/* SPDX-License-Identifier: MIT */
/* place_image.c - see place_image.h. */
#include "place_image.h"

static bool add_segment(struct place_image *image, const Elf64_Phdr *h)
{
	uint64_t start = h->p_vaddr & -(uint64_t)IMAGE_PAGE, stop;

	if (__builtin_add_overflow(h->p_vaddr, h->p_memsz, &stop) || __builtin_add_overflow(stop, IMAGE_PAGE - 1, &stop))
		return false;
	stop &= -(uint64_t)IMAGE_PAGE;
	if (start < image->start)
		image->start = start;
	if (stop > image->stop)
		image->stop = stop;
	if (h->p_align > image->align && !(h->p_align & (h->p_align - 1)))
		image->align = h->p_align;
	return true;
}

bool place_image_read(struct place_image *image, const Elf64_Phdr *headers, size_t count, uint64_t at, uint64_t bias)
{
	uint64_t dynamic = 0;

	*image = (struct place_image){ .bias = bias, .start = UINT64_MAX, .align = IMAGE_PAGE };
	for (size_t i = 0; i < count; i++) {
		const Elf64_Phdr *h = &headers[i];

		if (h->p_type == PT_LOAD && !add_segment(image, h))
			return false;
		if (h->p_type == PT_PHDR) {
			image->has_phdr = true;
			image->bias = at - h->p_vaddr;
		}
		if (h->p_type == PT_DYNAMIC)
			dynamic = h->p_vaddr;
		image->has_loader |= h->p_type == PT_INTERP;
	}
	if (image->start >= image->stop || image->stop - image->start > IMAGE_LIMIT || image->align > IMAGE_LIMIT)
		return false;
	image->start += image->bias;
	image->stop += image->bias;
	image->dynamic = dynamic ? dynamic + image->bias : 0;
	return image->start < image->stop && !(image->bias & (IMAGE_PAGE - 1));
}

uint64_t place_image_fit(const struct place_image *image, uint64_t at, uint64_t size)
{
	uint64_t skip = (image->start - at) & (image->align - 1), length = image->stop - image->start;

	return skip <= size && size - skip >= length ? at + skip : 0;
}
