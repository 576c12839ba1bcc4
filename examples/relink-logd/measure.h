/* SPDX-License-Identifier: MIT */
/* measure.h - what log statements cost: in the engine alone, and in the server while it serves. Both return the number of wrong replies. */
#ifndef LOGD_MEASURE_H
#define LOGD_MEASURE_H

unsigned long measure_engine(double seconds);
unsigned long measure_server(const char *path, double seconds, unsigned clients);

#endif
