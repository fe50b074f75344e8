/* libFuzzer target of the transport solver: the input chooses the kind of costs and masses,
 * the size, the seed, and then single entries to overwrite (ties, zeros, tiny and huge
 * numbers). Every answer must pass the checks of the unit tests.
 *
 *   clang -fsanitize=fuzzer,address,undefined -I src_c src_c/fuzz/fuzz_transport.c
 *       src_c/transport*.c -lm
 * Without clang, -DGEM_FUZZ_RANDOM gives a main() that feeds random inputs:
 *   gcc -fsanitize=address,undefined -DGEM_FUZZ_RANDOM ... && ./a.out <inputs> <seed>
 */
#include "transport_cases.h"

#include <stdio.h>
#include <string.h>

enum { HEADER = 6, LARGEST = 48 };

static const double entries[] = {0.0, 1.0, 0.5, 1e-300, 1e-16, 1e16, 1e150, 0x1p-1074};

/* Solve a sequence of masses on costs that nobody promised anything about. */
static const char *run_edited(const uint8_t *data, size_t size)
{
    const size_t n = 1 + data[2] % LARGEST;
    const uint64_t seed = data[3] | (uint64_t)data[4] << 8;
    double *d = malloc((n * n + 2 * n) * sizeof *d), *a = d + n * n, *b = a + n;
    double dmax = 0.0, value, cold_value;
    const char *wrong = NULL;
    gem_transport_costs *costs = NULL;
    gem_transport_problem *problem = NULL;
    gem_transport_work *work = NULL;

    case_costs(data[0] % CASE_COSTS, n, seed, d);
    for (size_t k = HEADER; k + 3 <= size; k += 3) {
        const size_t i = data[k] % n, j = data[k + 1] % n;
        d[i * n + j] = entries[data[k + 2] % 8];
        if (data[k + 2] & 64)
            d[j * n + i] = d[i * n + j];
    }
    for (size_t k = 0; k < n * n; k++)
        dmax = d[k] > dmax ? d[k] : dmax;
    if (gem_transport_costs_create(d, n, 0, &costs, NULL) ||
        gem_transport_costs_prepare_warm(costs) ||
        gem_transport_problem_create(n, &problem) || gem_transport_work_create(&work))
        wrong = "nothing could be made";
    for (int step = 0; !wrong && step < 4; step++) {
        case_masses((data[1] + step * (data[5] & 1)) % CASE_MASSES, n, seed, step, a,
                    b);
        if (gem_transport_solve(costs, problem, work, a, b, 1, NULL, NULL))
            wrong = "no solution";
        if (!wrong)
            wrong = case_check(costs, problem, a, b, n, dmax, &value);
        if (!wrong && dmax > 0.0 &&
            (!case_bipartite_value(d, n, a, b, dmax, &cold_value) ||
             fabs(value - cold_value) > 1e-12 * dmax + 0x1p-1064))
            wrong = "the bipartite problem differs";
    }
    gem_transport_costs_destroy(costs);
    gem_transport_problem_destroy(problem);
    gem_transport_work_destroy(work);
    free(d);
    return wrong;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEADER)
        return 0;
    const char *wrong = size < HEADER + 3
                            ? case_run(data[0] % CASE_COSTS, data[1] % CASE_MASSES,
                                       1 + data[2] % LARGEST, 1 + data[5] % 12,
                                       data[3] | (uint64_t)data[4] << 8)
                            : run_edited(data, size);
    if (wrong) {
        fprintf(stderr, "%s\n", wrong);
        abort();
    }
    return 0;
}

#ifdef GEM_FUZZ_RANDOM
int main(int count, char **arguments)
{
    const long inputs = count > 1 ? atol(arguments[1]) : 1000;
    uint64_t state = case_seed(count > 2 ? (uint64_t)atol(arguments[2]) : 0);
    uint8_t data[HEADER + 3 * 60];
    for (long input = 0; input < inputs; input++) {
        const size_t edits =
            case_random(&state) < 0.3 ? 0 : (size_t)(60 * case_random(&state));
        for (size_t k = 0; k < sizeof data; k++)
            data[k] = (uint8_t)(256 * case_random(&state));
        LLVMFuzzerTestOneInput(data, HEADER + 3 * edits);
    }
    fprintf(stderr, "%ld inputs passed\n", inputs);
    return 0;
}
#endif
