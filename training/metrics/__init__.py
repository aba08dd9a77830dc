"""Every metric of docs/method.md, and the intervals around them."""
