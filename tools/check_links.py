"""Check the links inside a built site: pages, files and anchors.

``python tools/check_links.py build/doc/html`` prints each broken link with the page it
is on, and ends with status 1 if there is one. Links to other sites are left alone.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The anchors and the links of one page."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links = {"", "top"}, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Note the ids and the targets of a tag."""
        attributes = dict(attrs)
        self.anchors.update(
            attributes[key] for key in ("id", "name") if attributes.get(key)
        )
        for key in ("href", "src"):
            if attributes.get(key):
                self.links.append(attributes[key])


def broken_links(site):
    """Give (page, link) of every link inside `site` that leads nowhere."""
    pages = {
        path.resolve(): Page(path.read_text())
        for path in site.rglob("*.html")
        if "_static" not in path.relative_to(site).parts  # templates of the theme
    }
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = path
            if parts.path:
                target = (path.parent / unquote(parts.path)).resolve()
                if target.is_dir():
                    target /= "index.html"
            if not target.exists() or (
                target in pages and unquote(parts.fragment) not in pages[target].anchors
            ):
                yield path.relative_to(site.resolve()), link


if __name__ == "__main__":
    found = sorted(set(broken_links(Path(sys.argv[1]))))
    for page, link in found:
        print(f"{page}: {link} leads nowhere")
    sys.exit(bool(found))
