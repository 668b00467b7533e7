// A job in single precision: the area under 4 / (1 + x²) from 0 to index + 1, by Simpson's rule. The first is pi.

#include "embedded.h"

enum { STRIPS = 20000 }; // an even number

static float height(float x) { return 4.0f / (1.0f + x * x); }

uint64_t integral_run(uint64_t index) {
  float width = (float)(index + 1) / STRIPS;
  float sum = height(0) + height((float)(index + 1));
  for (int n = 1; n < STRIPS; n++) sum += (n % 2 ? 4.0f : 2.0f) * height((float)n * width);
  float area = sum * width / 3.0f;
  uint32_t bits;
  memcpy(&bits, &area, sizeof bits);
  return bits;
}
