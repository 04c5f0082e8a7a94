#!/bin/sh
# Puts the pages together: each one's text between the same head and foot.
set -eu
mkdir -p public
for page in site/*.txt; do
  name=$(basename "$page" .txt)
  {
    echo "<!doctype html><html><head><title>$name</title></head><body>"
    sed 's|.*|<p>&</p>|' "$page"
    echo "<footer>built from ${CI_COMMIT_SHA:-a working tree}</footer></body></html>"
  } > "public/$name.html"
  printf 'built \033[36m%s\033[0m\n' "public/$name.html"
done
