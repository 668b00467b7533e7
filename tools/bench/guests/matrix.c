/* Integer matrix product. */
#include "runtime.h"
#define N 256
static u32 a[N][N], b[N][N], c[N][N];
u64 work(void) {
  u64 state = 1234567;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) a[i][j] = (u32)next_random(&state), b[i][j] = (u32)next_random(&state);
  u64 sum = 0;
  for (int round = 0; round < 8; round++) {
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++) {
        u32 total = 0;
        for (int k = 0; k < N; k++) total += a[i][k] * b[k][j];
        c[i][j] = total;
      }
    for (int i = 0; i < N; i++) sum += c[i][(i * 7 + round) % N], a[i][round] ^= c[i][i];
  }
  return sum;
}
