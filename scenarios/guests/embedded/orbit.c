// A job in double precision: three equal bodies that chase each other along a figure of eight (A. Chenciner and
// R. Montgomery, 2000). After one period they are back where they began, which tells whether the arithmetic is right.
// Every operation is written out, and the compiler may not fuse or reorder them, so the bits are the same everywhere.

#include "embedded.h"

enum { BODIES = 3, STEPS = 6326 };
static const double period = 6.32591398;

struct body {
  double x, y, velocity_x, velocity_y, force_x, force_y;
};

static double square_root(double value) {
  double root;
  asm("fsqrt.d %0, %1" : "=f"(root) : "f"(value));
  return root;
}

static void attract(struct body *bodies) {
  for (int n = 0; n < BODIES; n++) bodies[n].force_x = bodies[n].force_y = 0;
  for (int n = 0; n < BODIES; n++)
    for (int m = n + 1; m < BODIES; m++) {
      double x = bodies[m].x - bodies[n].x, y = bodies[m].y - bodies[n].y;
      double square = x * x + y * y;
      double pull = 1.0 / (square * square_root(square));
      bodies[n].force_x += x * pull;
      bodies[n].force_y += y * pull;
      bodies[m].force_x -= x * pull;
      bodies[m].force_y -= y * pull;
    }
}

// The leapfrog method: half a kick, a drift, half a kick.
uint64_t orbit_run(uint64_t index) {
  struct body bodies[BODIES] = {
      {.x = 0.97000436, .y = -0.24308753, .velocity_x = 0.466203685, .velocity_y = 0.43236573},
      {.x = -0.97000436, .y = 0.24308753, .velocity_x = 0.466203685, .velocity_y = 0.43236573},
      {.x = 0, .y = 0, .velocity_x = -0.93240737, .velocity_y = -0.86473146},
  };
  int steps = STEPS + (int)index * 64; // each job takes slightly finer steps
  double step = period / steps, half = step / 2;
  attract(bodies);
  for (int n = 0; n < steps; n++) {
    for (struct body *body = bodies; body < bodies + BODIES; body++) {
      body->velocity_x += body->force_x * half;
      body->velocity_y += body->force_y * half;
      body->x += body->velocity_x * step;
      body->y += body->velocity_y * step;
    }
    attract(bodies);
    for (struct body *body = bodies; body < bodies + BODIES; body++) {
      body->velocity_x += body->force_x * half;
      body->velocity_y += body->force_y * half;
    }
  }
  double miss_x = bodies[0].x - 0.97000436, miss_y = bodies[0].y + 0.24308753;
  double miss = square_root(miss_x * miss_x + miss_y * miss_y); // how far from home, about a millionth
  uint64_t bits;
  memcpy(&bits, &miss, sizeof bits);
  return bits;
}
