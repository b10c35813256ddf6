"""What pictures show, derived from the document: the same for the page and for files."""
