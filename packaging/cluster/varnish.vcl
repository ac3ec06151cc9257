# Varnish 7 as a cache for HLS and DASH of onair: any number of viewers cause one request per object.
# It wakes waiting viewers at once, and passes on files while they grow.
vcl 4.1;

backend origin {
    .host = "127.0.0.1";
    .port = "8088";
    # An awaited playlist or part comes within 20 s.
    .first_byte_timeout = 30s;
    .between_bytes_timeout = 30s;
}

sub vcl_recv {
    # Not for viewers.
    if (req.url ~ "^/(\?.*)?$" || req.url ~ "^/(metrics|readyz|api/|recordings/)") {
        return (synth(404));
    }
    # Host stays as the viewer's browser sent it: onair compares it with the origin of scripts, chat and WHEP. onair
    # answers only for names that --name lists, and for addresses. Varnish has appended the address of its client to
    # X-Forwarded-For: list this server, and proxies before it, under trusted_proxies in onair.
    if (req.http.Upgrade ~ "(?i)websocket") {
        return (pipe);
    }
    # A request with a secret gets an answer for one viewer.
    if (req.http.Authorization || req.url ~ "[?&](key|token|pass)=") {
        return (pass);
    }
    # Players request a whole recording in byte ranges. Otherwise, Varnish would request the whole file for each range.
    if (req.url ~ "^/vod/[^/?]+\.mp4(\?|$)") {
        return (pass);
    }
    # The viewer page asks for the state every few seconds. onair lets a cache keep it for a second, but only if
    # everybody may play.
    if ((req.method == "GET" || req.method == "HEAD")
        && req.url ~ "^[^?]*(\.(m3u8|mpd|m4s|mp4|ts)|/state)(\?|$)") {
        unset req.http.Cookie;
        return (hash);
    }
    return (pass);
}

sub vcl_hash {
    # Only these arguments make another object.
    hash_data(regsub(req.url, "\?.*$", ""));
    if (req.url ~ "[?&]_HLS_msn=") {
        hash_data(regsub(req.url, "^.*[?&]_HLS_msn=([^&]*).*$", "msn \1"));
    }
    if (req.url ~ "[?&]_HLS_part=") {
        hash_data(regsub(req.url, "^.*[?&]_HLS_part=([^&]*).*$", "part \1"));
    }
    if (req.url ~ "[?&]_HLS_skip=") {
        hash_data(regsub(req.url, "^.*[?&]_HLS_skip=([^&]*).*$", "skip \1"));
    }
    return (lookup);
}

sub vcl_pipe {
    set bereq.http.Upgrade = req.http.Upgrade;
    # Varnish does not read what follows in a pipe. If onair refuses the upgrade, the pipe must end. Otherwise, viewers
    # could send requests that these rules forbid.
    set bereq.http.Connection = "Upgrade, close";
}

sub vcl_backend_response {
    # An old playlist is of no use.
    set beresp.grace = 0s;
    set beresp.keep = 0s;
    if (beresp.status >= 500) {
        set beresp.uncacheable = true;
        set beresp.ttl = 1s;
        return (deliver);
    }
}
