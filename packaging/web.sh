#!/usr/bin/env bash
# Fetches the libraries of the viewer page into assets/web/vendor, unchanged. Needed only to update them:
# change a version here (of hls.js in packages.sh), take its hash from `npm view NAME@VERSION dist.integrity`, and run
# packaging/web.sh.
set -euo pipefail
# shellcheck source=packaging/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
vendor=$root/assets/web/vendor
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# fetch PACKAGE@VERSION SHA512: the package, unpacked below $folder/PACKAGE.
fetch() {
    npm_package "$1" "$2" "$folder/${1%@*}" || {
        complain "$1 could not be fetched, or is not the package that was checked"
        exit 1
    }
}

fetch "${hls_js[@]}"
fetch mpegts.js@1.8.2 'cZYMa5muASH55wrS6JK5IGkUqnCA96c0f+WdnW91jIK9s/N6NzjmTQDJNYg9A5u/G2Q5nj2b3w1Zwzze/9guxA=='
# The icons in assets/web/watch.html are copied from this one by hand.
fetch lucide-static@1.62.0 'WBZA/m2PvkFpMGHDtsBck5P2A9G4ehLlYu4GwwICcmEm1BvYVgj00lCDxKRWLlbMlOibLaiwdQ88G5pHkSWgwA=='

cp "$folder/hls.js/dist/hls.light.min.mjs" "$vendor/"
cp "$folder/hls.js/LICENSE" "$vendor/hls.js.LICENSE"
cp "$folder/mpegts.js/dist/mpegts.js" "$folder/mpegts.js/dist/mpegts.js.LICENSE.txt" "$vendor/"
cp "$folder/mpegts.js/LICENSE" "$vendor/mpegts.js.LICENSE"
cp "$folder/lucide-static/LICENSE" "$vendor/lucide.LICENSE"
cd "$vendor"
sha256sum hls.light.min.mjs hls.js.LICENSE mpegts.js mpegts.js.LICENSE.txt mpegts.js.LICENSE lucide.LICENSE > SHA256SUMS
