//! Adds a query, such as an access token, or a folder to all addresses of a playlist.

/// Returns the playlist with `query` (`name=value`) added to each address.
pub fn with_query(playlist: &str, query: &str) -> String {
    with_addresses(playlist, |out, uri| {
        out.push_str(uri);
        out.push(if uri.contains('?') { '&' } else { '?' });
        out.push_str(query);
    })
}

/// Returns the playlist with `folder` before each address. All addresses must be relative.
pub fn with_folder(playlist: &str, folder: &str) -> String {
    with_addresses(playlist, |out, uri| {
        out.push_str(folder);
        out.push_str(uri);
    })
}

/// Returns the playlist with the addresses that `write` adds to the text, in URI lines and `URI` attributes (RFC 8216bis
/// §4.1, §4.2).
fn with_addresses(playlist: &str, write: impl Fn(&mut String, &str)) -> String {
    let mut out = String::with_capacity(playlist.len() * 2);
    for line in playlist.split_inclusive('\n') {
        let text = line.trim_end_matches(['\r', '\n']);
        let end = line.get(text.len()..).unwrap_or_default();
        if text.starts_with('#') {
            let mut rest = text;
            while let Some((before, after)) = rest.split_once("URI=\"") {
                let (uri, after) = after.split_once('"').unwrap_or((after, ""));
                out.push_str(before);
                out.push_str("URI=\"");
                write(&mut out, uri);
                out.push('"');
                rest = after;
            }
            out.push_str(rest);
        } else if !text.is_empty() {
            write(&mut out, text);
        }
        out.push_str(end);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_changes_and_nothing_else() {
        let list = "#EXTM3U\n#EXT-X-MAP:URI=\"a-0.mp4\"\n#EXTINF:2.0,\na-1.m4s\n\
                    #EXT-X-PART:DURATION=0.3,URI=\"a-2.0.m4s\",INDEPENDENT=YES\n\
                    #EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"a-2.1.m4s?x=1\"\n";
        let expected = "#EXTM3U\n#EXT-X-MAP:URI=\"a-0.mp4?p=q\"\n#EXTINF:2.0,\na-1.m4s?p=q\n\
                        #EXT-X-PART:DURATION=0.3,URI=\"a-2.0.m4s?p=q\",INDEPENDENT=YES\n\
                        #EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"a-2.1.m4s?x=1&p=q\"\n";
        assert_eq!(with_query(list, "p=q"), expected);
        assert_eq!(with_query("\n#URI=\"x\nlast", "p=q"), "\n#URI=\"x?p=q\"\nlast?p=q");
        assert_eq!(with_query("", "p=q"), "");
        assert_eq!(with_folder("\n#URI=\"x\"\nlast", "../a/"), "\n#URI=\"../a/x\"\n../a/last");
    }
}
