// The smallest guest that does something: hart 0 prints a line on the serial port and switches the machine off. The
// others sleep. No stack, no memory written, no interrupts.

#define UART 0x10000000         // ns16550a: the first register is the data to send
#define LINE_STATUS 5
#define TRANSMITTER_EMPTY 0x20
#define TEST 0x100000           // the board's test device: one word ends the machine
#define PASS 0x5555

        .text
        .globl  _start
_start:                         // a0 = number of this hart, a1 = address of the device tree
        bnez    a0, sleep
        la      t0, message
        li      t1, UART
next:   lbu     t2, 0(t0)
        beqz    t2, done
wait:   lbu     t3, LINE_STATUS(t1)
        andi    t3, t3, TRANSMITTER_EMPTY
        beqz    t3, wait
        sb      t2, 0(t1)
        addi    t0, t0, 1
        j       next

done:   li      t0, TEST
        li      t1, PASS
        sw      t1, 0(t0)
sleep:  wfi                     // it may return for no reason
        j       sleep

        .section .rodata
message:
        .asciz  "Hello from RV64.\r\n"
