"""Write the generated parts of the documents anew: `python -m tests.docs`."""

from tests.docs.generated import GENERATED
from tests.docs.page import DOCS, with_generated

for name, make in GENERATED.items():
    page = DOCS / name
    page.write_text(with_generated(page.read_text(encoding="utf-8"), make()), encoding="utf-8", newline="\n")
