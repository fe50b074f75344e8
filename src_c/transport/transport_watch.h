/* Polling: count work in entries looked at, ask the caller every few milliseconds. */
#ifndef GEM_TRANSPORT_WATCH_H
#define GEM_TRANSPORT_WATCH_H

#include "transport.h"

#define GEM_WATCH_INTERVAL ((int64_t)1 << 23)

typedef struct gem_watch {
    gem_transport_poll poll;
    void *context;
    int64_t work;
} gem_watch;

static inline int gem_watch_stops(gem_watch *watch, int64_t work)
{
    watch->work += work;
    if (watch->work < GEM_WATCH_INTERVAL)
        return 0;
    watch->work = 0;
    return watch->poll && watch->poll(watch->context);
}

#endif
