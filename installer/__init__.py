"""Makes the installers: freezes the app, and packs it as .deb, .rpm, .tar.gz and for Windows."""
