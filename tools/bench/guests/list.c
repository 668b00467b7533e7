/* Walks a linked list laid out at random. */
#include "runtime.h"
#define N 65536
struct node {
  struct node *next;
  u64 value;
};
static struct node nodes[N];
static u32 order[N];
u64 work(void) {
  u64 state = 42;
  for (u32 i = 0; i < N; i++) order[i] = i;
  for (u32 i = N - 1; i > 0; i--) {
    u32 j = (u32)(next_random(&state) % (i + 1)), t = order[i];
    order[i] = order[j];
    order[j] = t;
  }
  for (u32 i = 0; i < N; i++) nodes[order[i]].next = &nodes[order[(i + 1) % N]], nodes[order[i]].value = i;
  u64 sum = 0;
  struct node *at = nodes;
  for (u64 i = 0; i < 120000000; i++) sum += at->value, at = at->next;
  return sum;
}
