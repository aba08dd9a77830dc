"""Plain-text rules on reports: words, sentences, body regions, negation, de-identification."""
