/* Five bodies under gravity, in doubles. */
#include "runtime.h"
static double p[5][3] = {{0, 0, 0}, {4.84, -1.16, -0.10}, {8.34, 4.12, -0.4}, {12.89, -15.11, -0.22}, {15.37, -25.9, 0.17}};
static double v[5][3] = {{0, 0, 0}, {0.6, 2.8, -0.02}, {-1.01, 1.82, 0.008}, {1.08, 0.86, -0.01}, {0.97, 0.59, -0.03}};
static const double mass[5] = {39.47, 0.037, 0.011, 0.0017, 0.002};
u64 work(void) {
  for (int step = 0; step < 400000; step++) {
    for (int i = 0; i < 5; i++)
      for (int j = i + 1; j < 5; j++) {
        double d[3], square = 0;
        for (int k = 0; k < 3; k++) d[k] = p[i][k] - p[j][k], square += d[k] * d[k];
        double magnitude = 0.001 / (square * __builtin_sqrt(square));
        for (int k = 0; k < 3; k++) v[i][k] -= d[k] * mass[j] * magnitude, v[j][k] += d[k] * mass[i] * magnitude;
      }
    for (int i = 0; i < 5; i++)
      for (int k = 0; k < 3; k++) p[i][k] += 0.001 * v[i][k];
  }
  u64 sum = 0;
  for (int i = 0; i < 5; i++)
    for (int k = 0; k < 3; k++) sum ^= bits_of(p[i][k]) * (u64)(2 * k + 1);
  return sum;
}
