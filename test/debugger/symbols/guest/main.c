#include "shapes.h"

typedef int (*operation)(int, int);

struct pair {
  long first, second;
};

struct node {
  struct node *left, *right;
  int value;
};

static const char greeting[] = "hello";
static word table[2][3] = {{1, 2, 3}, {4, 5, 6}};
float ratio = 0.1f;
long double precise = 1.25L;
__int128 huge = ((__int128)0x123456789abcdefL << 64) | 5;

__attribute__((noinline)) static void look(const void *at) { sink += *(const volatile char *)at; }

static inline int clamp(int value, int limit) {
  int excess = value - limit;
  if (excess > 0) {
    look(&excess);
    return limit;
  }
  return value;
}

static inline int twice_clamped(int value) {
  int doubled = value * 2;
  sink = doubled;
  return clamp(doubled, 50) + 1;
}

__attribute__((noinline)) static int factorial(int n) {
  int smaller = n - 1;
  if (n <= 1)
    return 1;
  int rest = factorial(smaller);
  look(&rest);
  return n * rest;
}

__attribute__((noinline)) static int depth(const struct node *node) {
  if (node == 0)
    return 0;
  int left = depth(node->left), right = depth(node->right);
  return 1 + (left > right ? left : right);
}

__attribute__((noinline)) static struct pair swapped(struct pair pair) {
  struct pair result = {pair.second, pair.first};
  sink = (int)result.first;
  return result;
}

__attribute__((noinline)) static double mean(const float *values, int count, double start) {
  double sum = start;
  float last = 0;
  for (int i = 0; i < count; i++) {
    last = values[i];
    sum += last;
    sink = i;
  }
  look(&last);
  return sum / count;
}

__attribute__((noinline)) static int variable_length(int size) {
  int squares[size];
  char letters[size + 1];
  for (int i = 0; i < size; i++) {
    squares[i] = i * i;
    letters[i] = 'a' + i;
  }
  letters[size] = 0;
  look(squares);
  look(letters);
  return squares[size - 1];
}

static int add(int a, int b) { return a + b; }
static int subtract(int a, int b) { return a - b; }

__attribute__((noinline)) static int apply(operation operation, int a, int b) { return operation(a, b); }

__attribute__((noinline)) static int blocks(int start) {
  int value = start;
  static int calls = 3;
  calls++;
  {
    long value = start * 10L;
    look(&value);
    {
      enum access mode = READ | EXECUTE;
      enum signed_level level = LOW;
      char value = 'v';
      unsigned char byte = 200;
      signed char small = -5;
      short brief = -300;
      _Bool yes = 1;
      look(&value), look(&mode), look(&level), look(&byte), look(&small), look(&brief), look(&yes);
    }
  }
  return value + calls;
}

__attribute__((noinline)) static int many(long a, long b, long c, long d, long e, long f, long g, long h, long i, int j) {
  volatile struct point place = {(int)a, j};
  const char *text = "a \"quoted\" text";
  const char **texts = &text;
  int grid[2][2] = {{1, 2}, {3, 4}};
  int(*row)[2] = &grid[1];
  struct node leaf = {0, 0, 7}, root = {&leaf, 0, 8};
  look(texts), look(grid), look(row), look(&root);
  return (int)(a + b + c + d + e + f + g + h + i) + place.y + depth(&root);
}

int main(void) {
  int total = factorial(4);
  total += twice_clamped(total);
  total += twice_clamped(3);
  struct pair pair = swapped((struct pair){total, -1});
  float values[] = {1.5f, 2.25f, -0.1f};
  double average = mean(values, 3, ratio);
  total += (int)average + (int)pair.first;
  total += variable_length(5);
  total += apply(add, total, 2) - apply(subtract, total, 3);
  total += blocks(7);
  total += many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
  for (const struct shape *shape = shapes; shape; shape = shape->next)
    total += shape->area ? shape->area(shape, 2) : area_of(shape, 1);
  look(greeting), look(table), look(&precise), look(&huge);
  sink = total;
  return total;
}
