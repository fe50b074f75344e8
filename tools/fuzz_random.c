/* Random inputs for a libFuzzer target, where clang is not to be had.
 *
 *   random <inputs> <seed>
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* xorshift64*: Vigna, 2016. */
static uint64_t next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dULL;
}

int main(int count, char **arguments)
{
    const long inputs = count > 1 ? atol(arguments[1]) : 1000;
    uint64_t state = count > 2 ? (uint64_t)atoll(arguments[2]) + 1 : 1;

    for (int warm = 0; warm < 16; warm++)
        next(&state);
    for (long input = 0; input < inputs; input++) {
        /* Short inputs are as likely as long ones. */
        const size_t limit = (size_t)1 << (next(&state) >> 60) % 13;
        const size_t size = next(&state) % (limit + 1);
        uint8_t *data = malloc(size + 1);
        if (!data)
            return 1;
        for (size_t k = 0; k < size; k++)
            data[k] = (uint8_t)(next(&state) >> 56);
        LLVMFuzzerTestOneInput(data, size);
        free(data);
    }
    printf("%ld inputs passed\n", inputs);
    return 0;
}
