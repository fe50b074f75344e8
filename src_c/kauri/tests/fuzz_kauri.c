/* libFuzzer target of the Kauri tree: the input chooses the rules and the kind of
 * kernel, weights, bins and missing values, and then the values of features and
 * kernel from a few that tie, vanish or dwarf each other. Every split must gain what its replay gains, and be one of
 * the best.
 *
 *   clang -fsanitize=fuzzer,address,undefined -fopenmp-simd -I src_c/kauri
 *       src_c/kauri/tests/fuzz_kauri.c src_c/kauri/kauri*.c -lm
 * Without clang, -DGEM_FUZZ_RANDOM gives a main() that feeds random inputs:
 *   gcc -fsanitize=address,undefined -DGEM_FUZZ_RANDOM ... && ./a.out <inputs> <seed>
 */
#include "kauri_cases.h"

enum { HEADER = 8, LARGEST = 14 };

static const double values[] = {0.0,   1.0,  -1.0, 0.5,  1e-3, -1e-3, 1e3,  2.0,
                                -0.25, 1e-8, 3.0,  -7.0, 10.0, 0.1,   -0.1, 1.0000001};

static double pick(const uint8_t *data, size_t size, size_t *at)
{
    uint8_t byte = *at < size ? data[*at] : (uint8_t)(17 * *at);
    ++*at;
    return byte & 128 ? values[byte & 15] * 0.37 + values[byte >> 4 & 7]
                      : values[byte & 15];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static problem p;
    static tree t;
    size_t at = HEADER;

    if (size < HEADER)
        return 0;
    memset(&p, 0, sizeof p);
    p.n = 1 + data[0] % LARGEST;
    p.d = 1 + data[1] % MAX_D;
    p.rank = 1 + data[2] % 4;
    p.use_factor = data[2] & 16 ? 1 : 0;
    p.definite = data[2] & 32 ? 1 : 0;
    for (int i = 0; i < p.n; i++) {
        for (int f = 0; f < p.d; f++)
            p.x[i][f] = pick(data, size, &at);
        for (int c = 0; c < p.rank; c++)
            p.factor[i][c] = pick(data, size, &at);
    }
    for (int i = 0; i < p.n; i++)
        for (int j = 0; j < p.n; j++)
            for (int c = 0; c < p.rank; c++)
                p.kernel[i][j] += p.factor[i][c] * p.factor[j][c];
    if (!p.use_factor && !p.definite && data[1] / 8 % N_WALKS != WALK_BINNED)
        for (int i = 0; i < p.n; i++)
            for (int j = 0; j < i; j++)
                p.kernel[i][j] = p.kernel[j][i] = pick(data, size, &at);
    p.n_bins = data[0] & 128 ? p.n : 2 + data[1] / 64;
    p.walk = data[1] / 8 % N_WALKS;
    p.use_factor |= p.walk == WALK_BINNED;
    p.use_weight = data[2] & 64 ? 1 : 0;
    for (int i = 0; i < p.n; i++) {
        p.weight[i] = ldexp(1.0 + data[HEADER - 1 - i % 4] % 7, data[2] & 128 ? i : 0);
        for (int f = 0; f < p.d && data[6] & 128; f++)
            if (pick(data, size, &at) < 0.0)
                p.x[i][f] = NAN;
    }
    p.rules.n_threads = 1;
    p.rules.min_weight_leaf = data[5] & 128 ? 2.0 : 0.0;
    p.rules.max_clusters = 1 + data[3] % p.n;
    p.rules.max_leaves = data[4] & 64 ? p.n : 1 + data[4] % p.n;
    p.rules.max_depth = data[5] & 64 ? p.n : 1 + data[5] % 4;
    p.rules.min_samples_split = 2 + data[6] % 4;
    p.rules.min_samples_leaf = 1 + (data[6] >> 4) % 3;
    p.rules.max_features = data[7] & 1 ? p.d : 1 + data[7] % p.d;
    p.rules.seed = data[7];
    failures += grow(&p, &t) != GEM_KAURI_OK;
    replay(&p, &t, "fuzz", p.rules.max_features == p.d);
    if (failures)
        abort();
    return 0;
}

#ifdef GEM_FUZZ_RANDOM
int main(int argc, char **argv)
{
    int inputs = argc > 1 ? atoi(argv[1]) : 1000;
    uint8_t data[256];

    seed = argc > 2 ? (uint64_t)atoll(argv[2]) : 1;
    for (int input = 0; input < inputs; input++) {
        for (size_t i = 0; i < sizeof data; i++)
            data[i] = (uint8_t)(256.0 * (uniform() + 0.5));
        LLVMFuzzerTestOneInput(data, sizeof data);
    }
    printf("%d inputs\n", inputs);
    return 0;
}
#endif
