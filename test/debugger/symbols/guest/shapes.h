#include <stddef.h>
#include <stdint.h>

enum color { RED, GREEN = 5, BLUE };
enum access { READ = 1, WRITE = 2, EXECUTE = 4 };
enum signed_level { LOW = -3, HIGH = 7 };
typedef unsigned long word;

struct point {
  int x, y;
};

struct shape {
  const char *name;
  enum color color;
  struct point corners[3];
  union {
    double radius;
    uint64_t bits;
  };
  struct {
    unsigned visible : 1;
    int level : 5;
    unsigned long wide : 40;
  } flags;
  struct shape *next;
  int (*area)(const struct shape *, int);
  _Bool filled;
};

struct incomplete;

extern struct shape shapes[2];
extern volatile int sink;
extern struct incomplete *nothing;

int area_of(const struct shape *shape, int scale);
