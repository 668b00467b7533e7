#include "shapes.h"

static int area_calls;
volatile int sink;
struct incomplete *nothing;

struct shape shapes[2] = {
    {.name = "triangle\n", .color = GREEN, .corners = {{1, 2}, {3, -4}, {5, 6}}, .radius = 2.5,
     .flags = {1, -7, 0x123456789a}, .next = &shapes[1], .area = area_of, .filled = 1},
    {.name = "dot", .color = (enum color)3, .bits = 42},
};

int area_of(const struct shape *shape, int scale) {
  area_calls++;
  int sum = 0;
  for (int i = 0; i < 3; i++) {
    const struct point *corner = &shape->corners[i];
    sum += corner->x * corner->y * scale;
    sink = sum;
  }
  return sum;
}

void *memset(void *to, int value, size_t count) {
  unsigned char *bytes = to;
  while (count--)
    *bytes++ = value;
  return to;
}

void *memcpy(void *to, const void *from, size_t count) {
  unsigned char *bytes = to;
  const unsigned char *source = from;
  while (count--)
    *bytes++ = *source++;
  return to;
}
