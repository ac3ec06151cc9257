#!/usr/bin/env bash
# Builds the faces under assets/fonts from Debian's fonts. Needed only when the texts change:
#   apt-get install fonts-inter fonts-noto-cjk fonts-noto-cjk-extra python3-fonttools && packaging/fonts.sh
#
# latin-*.otf  Inter: Latin, Greek, Cyrillic, punctuation and arrows; tabular digits and the round
#              'a' (Inter's features tnum and cv11) are the default, because the drawing library
#              cannot request features.
# cjk-*.otf    Noto Sans CJK SC: the characters of the Chinese texts, of the guide, of the names of
#              services and of Chinese punctuation, no others.
# Both are renamed, because their license requires that of changed versions with reserved names.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-/usr/bin/python3}
"$python" - <<'PY'
import glob, unicodedata
from fontTools import subset
from fontTools.ttLib import TTFont, TTCollection

OUT = "assets/fonts"

def finish(font, family, weight, path):
    name = font["name"]
    keep = {0, 13, 14}
    name.names = [n for n in name.names if n.nameID in keep and n.platformID == 3]
    for ident, text in ((1, family), (2, "Regular"), (3, f"{family} {weight}"), (4, f"{family} {weight}"),
                        (5, "Version 1.0"), (6, f"{family.replace(' ', '')}-{weight}")):
        name.setName(text, ident, 3, 1, 0x409)
    if "CFF " in font:
        cff = font["CFF "].cff
        cff.fontNames[0] = f"{family.replace(' ', '')}-{weight}"
        top = cff.topDictIndex[0]
        for field in ("FamilyName", "FullName"):
            if hasattr(top, field):
                setattr(top, field, family if field == "FamilyName" else f"{family} {weight}")
    # The same input gives the same bytes.
    font["head"].created = font["head"].modified = 3786912000
    font.recalcTimestamp = False
    font.save(path)

def options():
    o = subset.Options()
    o.layout_features = ["kern", "mark", "mkmk", "ccmp", "locl", "cpsp"]
    o.name_IDs = ["*"]
    o.notdef_outline = True
    o.glyph_names = False
    o.hinting = True
    o.desubroutinize = False
    return o

def substitutions(font, feature):
    gsub, found = font["GSUB"].table, {}
    for record in gsub.FeatureList.FeatureRecord:
        if record.FeatureTag == feature:
            for index in record.Feature.LookupListIndex:
                for table in gsub.LookupList.Lookup[index].SubTable:
                    table = getattr(table, "ExtSubTable", table)
                    found.update(getattr(table, "mapping", {}))
    return found

latin = set()
for first, last in ((0x20, 0x7E), (0xA0, 0x17F), (0x1E9E, 0x1E9E), (0x218, 0x21B), (0x386, 0x3CE), (0x400, 0x45F),
                    (0x490, 0x491), (0x2010, 0x2027), (0x2030, 0x203A), (0x20A0, 0x20BF), (0x2190, 0x2193)):
    latin.update(range(first, last + 1))
latin |= {0x2212, 0x00D7, 0x221E, 0x2264, 0x2265, 0x2248, 0x2122, 0x25CF, 0x2713, 0x202F, 0x2009, 0x2318, 0x21E7}
for style, weight in (("Regular", 400), ("Medium", 500), ("SemiBold", 600), ("Bold", 700)):
    font = TTFont(f"/usr/share/fonts/opentype/inter/Inter-{style}.otf")
    swap = {**substitutions(font, "cv11"),
            **{a: b for a, b in substitutions(font, "tnum").items() if a in {f"uni003{d}" for d in range(10)}}}
    for table in font["cmap"].tables:
        if table.isUnicode():
            for code, glyph in list(table.cmap.items()):
                if glyph in swap and code in latin:
                    table.cmap[code] = swap[glyph]
    s = subset.Subsetter(options())
    s.populate(unicodes=latin)
    s.subset(font)
    finish(font, "Onair Latin", weight, f"{OUT}/latin-{weight}.otf")

files = sorted(glob.glob("assets/i18n/*/*") + glob.glob("docs/**/*.md", recursive=True)
               + ["crates/onair-studio/src/targets/services.rs"])
texts = "".join(open(f, encoding="utf-8").read() for f in files) + "中文"
cjk = {ord(c) for c in texts if ord(c) >= 0x2E80 or unicodedata.east_asian_width(c) in "WF"}
cjk |= {ord(c) for c in "，。、；：？！（）《》“”‘’…—·"}
cjk -= latin
for style, weight in (("Regular", 400), ("Medium", 500), ("Bold", 700)):
    fonts = TTCollection(f"/usr/share/fonts/opentype/noto/NotoSansCJK-{style}.ttc").fonts
    names = ("Noto Sans CJK SC", f"Noto Sans CJK SC {style}")
    font = next(f for f in fonts if f["name"].getDebugName(1) in names)
    o = options()
    o.layout_features = []
    s = subset.Subsetter(o)
    s.populate(unicodes=cjk)
    s.subset(font)
    # The drawing library centers the line of a fallback face on the line of the first face, and
    # rounds each separately. With the line of the Latin face, both have one baseline at every size.
    lines = TTFont(f"{OUT}/latin-400.otf")
    scale = font["head"].unitsPerEm / lines["head"].unitsPerEm
    for field in ("ascent", "descent", "lineGap"):
        setattr(font["hhea"], field, round(getattr(lines["hhea"], field) * scale))
    finish(font, "Onair Hans", weight, f"{OUT}/cjk-{weight}.otf")
print(len(latin), "Latin and", len(cjk), "Chinese characters")
PY
ls -l assets/fonts
