# What goes wrong on the way to a server (src/net): causes, and as .cure what helps. Keep in step with zh-CN.

# The stage, where the cause does not tell it.
net-with-peer = { $peer }: { $cause }
net-at-dns = during the name lookup: { $cause }
net-at-tcp = while connecting over TCP: { $cause }
net-at-tls = during the TLS handshake: { $cause }
net-at-handshake = during the RTMP handshake: { $cause }
net-at-connect = while connecting to the application: { $cause }
net-at-publish = during the publish request: { $cause }
net-at-play = during the play request: { $cause }
net-at-request = during the HTTP request: { $cause }
net-at-media = mid-stream: { $cause }

# Causes.
net-no-such-host = unknown host
    .cure = Check the spelling of the server address, and that this machine is online.
net-lookup-failed = the name lookup failed: { $reason }
    .cure = Check that this machine is online and that DNS works.
net-connection-refused = connection refused: nothing is listening there
    .cure = Check the port, and that the server is running. RTMP uses port 1935, RTMPS usually 443.
net-no-answer = no answer within { $seconds } s
net-unreachable = the network or the host is unreachable
    .cure = Check the network connection, the VPN and the address.
net-forbidden = this machine blocks the connection
    .cure = A firewall or security setting on this machine blocks the connection. Allow onair there.
net-closed = the server closed the connection
net-cut = the connection was cut
net-timed-out = the connection timed out
net-no-progress = the server accepted no data for { $seconds } s
    .cure = The network or the server stalled. Check your connection.
net-certificate = onair rejects the server's certificate: { $problem }
    .cure = For your own server, trust the certificate with --tls-ca or --tls-pin. Otherwise do not send your key there.
net-certificate-date = onair rejects the server's certificate: { $problem }
    .cure = Check this machine's date. If it is right, the server's owner must renew the certificate.
net-certificate-early = onair rejects the server's certificate: { $problem }
    .cure = Check this machine's date and time.
net-certificate-name = onair rejects the server's certificate: { $problem }
    .cure = Use the server name in the certificate.
net-certificate-not-pinned = onair rejects the server's certificate: { $problem }
    .cure = If the owner renewed the server's certificate, pin the new one. Otherwise do not connect: somebody may be intercepting the connection.
net-certificate-not-accepted-one = onair rejects the server's certificate: { $problem }
    .cure = If the owner renewed the server's certificate, press the gear on the Watch page (Connection), remove the server and play again. Otherwise do not connect: somebody may be intercepting the connection.
net-certificate-to-pin = onair rejects the server's certificate: { $problem }
    .cure = For your own server, trust the certificate with --tls-ca or --tls-pin. Otherwise do not send your key there. The pin is { $pin }.
net-not-tls = the server does not use TLS on this port
    .cure = Check the port. If the server does not support TLS, use rtmp:// instead of rtmps://.
net-tls-failed = the secure connection failed: { $reason }
    .cure = Check the port. If the server does not support TLS, use rtmp:// instead of rtmps://.
net-tls-in-tls = TLS inside TLS is not supported
net-not-a-certificate-name = a certificate cannot contain the name '{ $host }'
net-trust-file = onair cannot use the certificate file { $path }: { $reason }
    .cure = Choose a readable certificate file in PEM or DER format.
net-tunnel-not-http = the server does not speak HTTP on this port
    .cure = This server does not accept RTMP over HTTP. Check the port, or use rtmp:// instead of rtmpt:// (rtmps:// instead of rtmpts://).
net-tunnel-refused = the server rejects the HTTP tunnel: { $reason }
    .cure = This server does not accept RTMP over HTTP. Check the port, or use rtmp:// instead of rtmpt:// (rtmps:// instead of rtmpts://).
net-answer = the server answers { $answer }
    .cure = Try again later. If you run the server, check its log.
net-answer-login = the server answers { $answer }
    .cure = Check the user name and password (https://user:password@server/…), or the token in the URL.
net-answer-not-found = the server answers { $answer }
    .cure = Check the path in the URL, and that the stream is live.
net-protocol = the server violated the protocol: { $reason }
    .cure = The server, or a device in between, does not send valid RTMP. Try another server.
net-message-too-long = a message is longer than { $kib } KiB
net-sent-in-a-circle = the server redirects in a circle
net-sent-too-often = the server redirects too often
net-sent-nowhere = the server redirects to an address that is less secure or cannot receive a stream
net-network-changed = this machine's network has changed
    .cure = onair reconnects over the current network.
net-no-network = this machine has no network connection to the server
    .cure = Plug in the network cable, or rejoin the wireless network. onair reconnects as soon as the network is back.
net-silent = the server accepts no data
    .cure = The server or the network stalled. If this happens often, use another server of the service.
net-still-there = probably your previous connection is still open: { $cause }
    .cure = Wait until the server closes your previous connection. If this takes minutes, another program is live with this key. Stop that program.
net-codecs = the server does not support { $codecs }
    .cure = Stream H.264 and AAC (without --copy), which every server accepts, or use a server that supports these codecs.
net-bind = onair cannot connect from { $from }: { $reason }
    .cure = Choose an address or interface of this machine that has a route to the server.
net-bind-family = the server has no address of this IP version
net-no-port = no port works: { $tried }
    .cure = Check which ports the server uses, and for which protocols.
net-no-port-answers = no port works: { $tried }
    .cure = Check that the server is running, and which ports it uses. If a firewall allows only web ports, try rtmps:// or rtmpts://.
net-tried = { $port } ({ $stage }): { $cause }
net-sent-on = the server redirects the stream to { $peer }: { $cause }

# What answers instead of an RTMP server.
net-not-rtmp-web = a web server (HTTP) answered
    .cure = Check the address and the port: this is not an RTMP server. RTMP servers usually use port 1935.
net-not-rtmp-tls = the server speaks TLS on this port
    .cure = Use rtmps:// instead of rtmp://.
net-not-rtmp-banner = the server greeted with "{ $line }"
    .cure = Check the address and the port: this is not an RTMP server. RTMP servers usually use port 1935.
net-not-rtmp = the answer is not an RTMP handshake; it begins with { $bytes }
    .cure = Check the address and the port: this is not an RTMP server. RTMP servers usually use port 1935.

# What web servers do instead of giving what they are asked for.
net-web-circle = the server redirects in a circle
    .cure = This is a server problem. Try another address, or contact the server's operator.
net-web-nowhere = the server redirects to an address that onair cannot read: { $reason }
    .cure = This is a server problem. Try another address, or contact the server's operator.
net-web-unsafe = the server redirects to an address without TLS, which is less secure
    .cure = This is a server problem. Try another address, or contact the server's operator.
net-web-other-protocol = the server redirects to another protocol
    .cure = This is a server problem. Try another address, or contact the server's operator.
net-web-packed = the server sends compressed data, but onair asked for uncompressed data ({ $by })
    .cure = This is a server problem. Try another address, or contact the server's operator.
net-web-too-much = the server sends more than { $kib } KiB
    .cure = This is a server problem. Try another address, or contact the server's operator.
net-web-too-little = the server sends less data than announced
    .cure = This is a server problem. Try another address, or contact the server's operator.
net-web-other-part = the server does not send the requested part of the file
    .cure = This is a server problem. Try another address, or contact the server's operator.

# Addresses on the web.
net-url-too-long = the address is longer than { $bytes } bytes
net-url-unreadable = the address is not a valid URL
net-url-scheme = the address does not begin with http, https, ws or wss
net-url-no-host = the address has no server name

# What a server refuses.
net-refused-unauthorized = not authorized
    .cure = Check the stream key: copy it again from the service's page.
net-refused-rejected = rejected
    .cure = Check the URL and the stream key. The service may also have suspended your account.
net-refused-busy = the name is in use
    .cure = If this is your own earlier connection, wait until it ends. Otherwise end the program that is live with this key, or check the key.
net-refused-app = no such application
    .cure = Check the application part of the URL (such as /live).
net-refused-not-found = no such stream
    .cure = Check the stream name, and that the stream is live.
net-refused-closed = closed by the server
    .cure = Try again later, and check the stream on the service's dashboard.
net-refused-failed = the server reported an internal error
    .cure = Try again later, and check the stream on the service's dashboard.
net-server-says = { $cause }; the server says { $words }

# Certificates.
net-certificate-expired-on = it expired on { $date } (not after)
net-certificate-expired = it has expired (not after)
net-certificate-valid-from = it is not valid before { $date } (not before)
net-certificate-not-yet = it is not valid yet (not before)
net-certificate-no-names = it contains no host name (subject alternative name), so it is not valid for { $host }
net-certificate-wrong-name = it is for { $names } (subject alternative name), not for { $host }
net-certificate-issuer = this machine does not trust its issuer, or it is self-signed (issuer)
net-certificate-revoked = its issuer has revoked it (revocation)
net-certificate-signature = its signature is invalid (signature)
net-certificate-purpose = it is not a server certificate (extended key usage)
net-certificate-authority = it is a CA certificate, like most self-signed ones, and not a server certificate (basic constraints: CA)
net-certificate-pin = its SHA-256 is { $presented }, not the pinned { $expected }
net-file-no-certificate = it contains no certificate
net-file-too-large = it is too large
net-file-empty = it is empty
net-file-no-key = it contains no readable private key (PEM)
net-file-other-key = it does not match the certificate: { $reason }

# Proxies.
net-proxy-unreachable = the proxy { $proxy }: { $problem }
    .cure = Check the proxy's address and port, and that the proxy is running.
net-proxy-needs-login = the proxy { $proxy } requires a user name and a password
    .cure = Enter the proxy's user name and password: http://user:password@host:port.
net-proxy-wrong-login = the proxy { $proxy } does not accept the user name and password
    .cure = Check the proxy's user name and password.
net-proxy-refused = the proxy { $proxy } does not connect: { $problem }
    .cure = Check the server's address and port. Many proxies allow only port 443.
net-proxy-not-one = the proxy { $proxy }: { $problem }
    .cure = Check the proxy's address, port and type (http:// or socks5://).
net-proxy-no-http = it does not speak HTTP
net-proxy-closed = it closed the connection
socks-not-socks = it does not speak SOCKS 5
socks-needs-login = it requires a user name and a password
socks-wrong-login = it does not accept the user name and password
socks-too-long = the user name, password or host is longer than 255 bytes
socks-forbidden = its rules forbid the connection
socks-network-unreachable = it cannot reach the server's network
socks-host-unreachable = it cannot find or reach the server
socks-connection-refused = the server refuses the connection
socks-failed = it failed (code { $code })

# Cures that depend on the stage.
net-cure-dns = Check that this machine is online and that DNS works.
net-cure-tcp = Check the address and the port. A firewall may block the connection, or the server is down.
net-cure-tls = Check the port. If the server does not support TLS, use rtmp:// instead of rtmps://.
net-cure-handshake = Check that the address and port belong to an RTMP server. If it requires TLS, use rtmps://.
net-cure-connect = Check the application part of the URL (such as /live). The server may also be full.
net-cure-publish = Many servers refuse a wrong key this way. Check the stream key, and that no other program or earlier connection is live with it.
net-cure-publish-silent = The server did not answer. Check the stream key, or try again later.
net-cure-play = Check the stream name, and that the stream is live.
net-cure-login = Check the user name and password (rtmp://user:password@server/app), or the URL.
net-cure-ended = The server ended the stream. Read its message, and check the service's dashboard.
net-cure-request = Check that the address and port belong to a web server. If it requires TLS, use https:// or wss://.
net-cure-media = Check the network connection and the server's log.
net-cure-address = Check the address, the port and your network connection.
net-cure-sent-on = Contact the server's operator, or use another server of the service.

# Addresses of servers (src/wire/rtmp/url).
url-empty = the URL is empty
url-no-scheme = the URL does not begin with rtmp:// or rtmps://
url-scheme = onair does not support { $scheme }://
url-no-host = the URL has no server name
url-brackets = an IPv6 address needs brackets: rtmp://[::1]/app/key
url-port = the port '{ $port }' is not a number from 1 to 65535
url-no-app = the URL has no application: rtmp://server/app/key
url-no-stream = the URL has no stream key: rtmp://server/app/key
url-character = the URL contains a space or a control character
url-too-long = the URL is longer than { $bytes } bytes
url-use-rtmp = Use rtmp:// or rtmps://.
url-ask-for-rtmp = Ask the service for its RTMP address, which begins with rtmp:// or rtmps://.
url-instead-of-rtmpe = Its encryption is broken. Use rtmps://, or rtmp:// if the server has no TLS.
url-instead-of-rtmfp = It is Adobe's protocol for Flash players. Ask the service for an rtmp:// or rtmps:// address.
url-instead-of-web = It is the address of a page, of WebRTC (WHIP) or of a stream to watch. Send to an address that begins with rtmp:// or rtmps://. If only web traffic gets through, use rtmpt:// or rtmpts://.
url-instead-of-rtsp = It is a protocol of cameras. Use an rtmp:// or rtmps:// address.
target-built-in-off = the built-in server is not running
target-key-missing = the stream key is missing
