"""What people look at: the HTML report, figures, and how a run shows itself in a notebook."""

# The page shows the newest so many articles: some 10 kB each.
MAX_ARTICLES = 5000
