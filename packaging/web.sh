#!/usr/bin/env bash
# Fetches the libraries of the viewer page into assets/web/vendor, unchanged. Needed only to update them:
# change a version here, take its hash from `npm view NAME@VERSION dist.integrity`, and run packaging/web.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
vendor=$PWD/assets/web/vendor
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# fetch NAME VERSION SHA512: the package, unpacked below $folder/NAME.
fetch() {
    local name=$1 version=$2 sum=$3 file
    file=$(cd "$folder" && npm pack --silent "$name@$version")
    if [ "$(openssl dgst -sha512 -binary "$folder/$file" | base64 -w0)" != "$sum" ]; then
        echo "$name $version is not the package that was checked" >&2
        exit 1
    fi
    mkdir "$folder/$name"
    tar -xzf "$folder/$file" -C "$folder/$name" --strip-components=1
}

fetch hls.js 1.7.4 '3GlxGdPvT2YHvQYOt+yOzT/DEior/qJVNIylHA77kgeoBTdQQqi70GwefNEUmHQeNGyjC8U62+bruqW/Tpm+tg=='
fetch mpegts.js 1.8.2 'cZYMa5muASH55wrS6JK5IGkUqnCA96c0f+WdnW91jIK9s/N6NzjmTQDJNYg9A5u/G2Q5nj2b3w1Zwzze/9guxA=='
# The icons in assets/web/watch.html are copied from this one by hand.
fetch lucide-static 1.62.0 'WBZA/m2PvkFpMGHDtsBck5P2A9G4ehLlYu4GwwICcmEm1BvYVgj00lCDxKRWLlbMlOibLaiwdQ88G5pHkSWgwA=='

cp "$folder/hls.js/dist/hls.light.min.mjs" "$vendor/"
cp "$folder/hls.js/LICENSE" "$vendor/hls.js.LICENSE"
cp "$folder/mpegts.js/dist/mpegts.js" "$folder/mpegts.js/dist/mpegts.js.LICENSE.txt" "$vendor/"
cp "$folder/mpegts.js/LICENSE" "$vendor/mpegts.js.LICENSE"
cp "$folder/lucide-static/LICENSE" "$vendor/lucide.LICENSE"
cd "$vendor"
sha256sum hls.light.min.mjs hls.js.LICENSE mpegts.js mpegts.js.LICENSE.txt mpegts.js.LICENSE lucide.LICENSE > SHA256SUMS
