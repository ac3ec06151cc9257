# The Recordings page.
