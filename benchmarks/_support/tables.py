"""Tables of results in markdown."""


def table(header, rows):
    """Print rows of strings as they come; `header` names the columns."""
    names = header.split(", ")
    print("| " + " | ".join(names) + " |")
    print("|" + " --- |" * len(names))
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def microseconds(seconds):
    """Seconds as microseconds, with three digits at least."""
    return f"{1e6 * seconds:,.0f}" if seconds >= 1e-4 else f"{1e6 * seconds:.1f}"


def verdict(ratio, floor):
    """Whether a ratio is at least its floor; nothing where there is none."""
    if floor is None:
        return ""
    return f"{floor} {'met' if ratio >= floor else 'NOT MET'}"
