"""From the text of an answer to a tree: cleaning, tokens, and the parser of whole answers."""
