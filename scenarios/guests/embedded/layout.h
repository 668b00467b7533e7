// Numbers that both the C files and the assembler files need. Plain #defines only.

#ifndef LAYOUT_H
#define LAYOUT_H

#define HARTS_MAX 8

// One `struct hart` (embedded.h): saved registers first, then bookkeeping, then two stacks that grow down.
#define HART_SIZE 16384
#define HART_PC 256          // the saved pc follows 32 registers of 8 bytes
#define HART_GUARD 264       // stack pointer of the guard in force, or 0
#define HART_TRAP_STACK 6144 // one past the end of the stack that trap handlers run on

// One `struct space` (embedded.h): an address space with its supervisor, laid out alike.
#define SPACE_PC 256
#define SPACE_STACK 4096

// Calls that the user program makes of the supervisor, in a7.
#define CALL_REPORT 1
#define CALL_EXIT 2

#endif
