/* A fast Fourier transform of 1024 points, forth and again. */
#include "runtime.h"
#define N 1024
static double re[N], im[N], cosine[N / 2], sine[N / 2];
u64 work(void) {
  double c = 1, s = 0;
  const double dc = 0.99998117528260111, ds = 0.0061358846491544753;
  for (int i = 0; i < N / 2; i++) {
    cosine[i] = c;
    sine[i] = -s;
    double t = c * dc - s * ds;
    s = s * dc + c * ds;
    c = t;
  }
  u64 state = 3;
  for (int i = 0; i < N; i++) re[i] = (double)(next_random(&state) % 1000) / 1000, im[i] = 0;
  for (int round = 0; round < 1500; round++) {
    for (u32 i = 1, j = 0; i < N; i++) {
      u32 bit = N >> 1;
      for (; j & bit; bit >>= 1) j ^= bit;
      j ^= bit;
      if (i < j) {
        double t = re[i]; re[i] = re[j]; re[j] = t;
        t = im[i]; im[i] = im[j]; im[j] = t;
      }
    }
    for (u32 size = 2; size <= N; size <<= 1)
      for (u32 i = 0; i < N; i += size)
        for (u32 k = 0; k < size / 2; k++) {
          u32 w = k * (N / size), a = i + k, b = a + size / 2;
          double x = re[b] * cosine[w] - im[b] * sine[w], y = re[b] * sine[w] + im[b] * cosine[w];
          re[b] = re[a] - x; im[b] = im[a] - y;
          re[a] += x; im[a] += y;
        }
    for (int i = 0; i < N; i++) re[i] *= 0.03125, im[i] *= 0.03125;
  }
  u64 sum = 0;
  for (int i = 0; i < N; i++) sum = sum * 31 + bits_of(re[i]) + bits_of(im[i]);
  return sum;
}
