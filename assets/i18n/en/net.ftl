# What goes wrong on the way to a server (src/net): causes, and as .cure what helps. Keep in step with zh-CN.

# The stage, where the cause does not tell it.
net-at-dns = at the name lookup: { $cause }
net-at-tcp = at the TCP connection: { $cause }
net-at-tls = at the TLS handshake: { $cause }
net-at-handshake = at the RTMP handshake: { $cause }
net-at-connect = at the request for the application: { $cause }
net-at-publish = at the request to publish: { $cause }
net-at-play = at the request to play: { $cause }
net-at-request = at the HTTP request: { $cause }
net-at-media = in mid-stream: { $cause }

# Causes.
net-no-such-host = no host of this name is known
    .cure = Check the spelling of the server address, and that this machine is online.
net-lookup-failed = the name could not be looked up: { $reason }
    .cure = Check that this machine is online and that DNS works.
net-connection-refused = connection refused: nothing listens there
    .cure = Check the port, and that the server is running. RTMP uses 1935, RTMPS usually 443.
net-no-answer = no answer within { $seconds } s
net-unreachable = the network or the host is unreachable
    .cure = Check the network connection, VPN and address.
net-forbidden = this machine blocks the connection
    .cure = A firewall or security setting on this machine blocks the connection. Allow onair there.
net-closed = the server closed the connection
net-cut = the connection was cut
net-timed-out = the connection timed out
net-no-progress = the server took no data for { $seconds } s
    .cure = The network or the server stalled. Check your connection.
net-certificate = the server's certificate is not accepted: { $problem }
    .cure = For your own server, trust its certificate with --tls-ca or --tls-pin; otherwise do not send your key there.
net-certificate-date = the server's certificate is not accepted: { $problem }
    .cure = Check this machine's date; if it is right, the server's owner must renew the certificate.
net-certificate-early = the server's certificate is not accepted: { $problem }
    .cure = Check this machine's date and time.
net-certificate-name = the server's certificate is not accepted: { $problem }
    .cure = Use the server name in the certificate.
net-certificate-not-pinned = the server's certificate is not accepted: { $problem }
    .cure = If the owner renewed the server's certificate, pin the new one. Otherwise do not connect: somebody may be intercepting the connection.
net-certificate-not-accepted-one = the server's certificate is not accepted: { $problem }
    .cure = If the server's certificate was renewed on purpose, forget the old one behind the gear on the Watch page (Connection) and play again; otherwise somebody may be listening in: do not connect.
net-certificate-to-pin = the server's certificate is not accepted: { $problem }
    .cure = For your own server, trust its certificate with --tls-ca or --tls-pin; otherwise do not send your key there. Its pin is { $pin }.
net-not-tls = the server does not use TLS on this port
    .cure = Check the port. If the server does not support TLS, use rtmp:// instead of rtmps://.
net-tls-failed = the secure connection failed: { $reason }
    .cure = Check the port. If the server does not support TLS, use rtmp:// instead of rtmps://.
net-tls-in-tls = TLS inside TLS
net-not-a-certificate-name = '{ $host }' is no name a certificate can hold
net-trust-file = the certificate file { $path } cannot be used: { $reason }
    .cure = Choose a readable certificate file in PEM or DER format.
net-tunnel-not-http = the server does not speak HTTP on this port
    .cure = The server takes no RTMP inside HTTP there: check the port, or use rtmp:// instead of rtmpt:// (rtmps:// instead of rtmpts://).
net-tunnel-refused = the server refuses the tunnel through HTTP: { $reason }
    .cure = The server takes no RTMP inside HTTP there: check the port, or use rtmp:// instead of rtmpt:// (rtmps:// instead of rtmpts://).
net-answer = the server answers { $answer }
    .cure = Try again later, and see the server's own messages.
net-answer-login = the server answers { $answer }
    .cure = Check user and password (https://user:password@server/…) or the token in the URL.
net-answer-not-found = the server answers { $answer }
    .cure = Check the path in the URL, and that the stream is live.
net-protocol = the server broke the protocol: { $reason }
    .cure = The server, or a device in between, does not send valid RTMP. Try another server.
net-message-too-long = a message is longer than { $kib } KiB
net-sent-in-a-circle = it sends us on in a circle
net-sent-too-often = it sends us on from server to server
net-sent-nowhere = it sends us on to where a stream cannot go, or not as safely
net-network-changed = this machine's network has changed
    .cure = onair connects again over the network that there is now.
net-no-network = this machine has no network that leads there
    .cure = Plug in the network cable, or rejoin the wireless network. onair reconnects as soon as the network is back.
net-silent = the server takes no data
    .cure = The server or the network stalled. If this happens often, use another server of the service.
net-still-there = probably your previous connection is still there: { $cause }
    .cure = Wait until the server closes your previous connection. If that takes minutes, another program is live with this key: stop it.
net-codecs = the server does not take { $codecs }
    .cure = Stream H.264 and AAC (without --copy), which every server accepts, or use a server that supports these codecs.
net-bind = connections cannot leave from { $from }: { $reason }
    .cure = Choose an address or interface of this machine that has a route to the server.
net-bind-family = the server has no address of that family
net-no-port = no port does: { $tried }
    .cure = Check which ports the server uses, and for which protocols.
net-no-port-answers = no port does: { $tried }
    .cure = Check that the server is running, and which ports it uses. If a firewall allows only web ports, try rtmps:// or rtmpts://.
net-tried = { $port } ({ $stage }): { $cause }
net-sent-on = it sends the stream on to { $peer }: { $cause }

# What answers instead of an RTMP server.
net-not-rtmp-web = a web server (HTTP) answered
    .cure = Check address and port: this is no RTMP server. RTMP servers usually use port 1935.
net-not-rtmp-tls = the server speaks TLS on this port
    .cure = Use rtmps:// instead of rtmp://.
net-not-rtmp-banner = the server greeted with "{ $line }"
    .cure = Check address and port: this is no RTMP server. RTMP servers usually use port 1935.
net-not-rtmp = the answer is no RTMP handshake; it begins with { $bytes }
    .cure = Check address and port: this is no RTMP server. RTMP servers usually use port 1935.

# What web servers do instead of giving what they are asked for.
net-web-circle = the server sends us on from address to address
    .cure = This is a server problem. Try another address, or contact the server's operator.
net-web-nowhere = the server sends us on to where nothing can be read: { $reason }
    .cure = This is a server problem. Try another address, or contact the server's operator.
net-web-unsafe = the server sends us on to an address without TLS, which would not be as safe
    .cure = This is a server problem. Try another address, or contact the server's operator.
net-web-other-protocol = the server sends us on to another protocol
    .cure = This is a server problem. Try another address, or contact the server's operator.
net-web-packed = the server packs what was asked for unpacked ({ $by })
    .cure = This is a server problem. Try another address, or contact the server's operator.
net-web-too-much = the server sends more than { $kib } KiB
    .cure = This is a server problem. Try another address, or contact the server's operator.
net-web-too-little = the server sends less than it says
    .cure = This is a server problem. Try another address, or contact the server's operator.
net-web-other-part = the server gives something else than the part of the file that was asked for
    .cure = This is a server problem. Try another address, or contact the server's operator.

# Addresses on the web.
net-url-too-long = it is longer than { $bytes } bytes
net-url-unreadable = it makes no sense as an address on the web
net-url-scheme = it does not begin with http, https, ws or wss
net-url-no-host = the address has no server name

# What a server refuses.
net-refused-unauthorized = not authorized
    .cure = Check the stream key: copy it again from the service's page.
net-refused-rejected = rejected
    .cure = Check the URL and the stream key. The service may also have suspended your account.
net-refused-busy = the name is in use
    .cure = Wait if it is your own earlier connection, which ends by itself. Else end the program that is live with this key, or check the key.
net-refused-app = no such application
    .cure = Check the application part of the URL (such as /live).
net-refused-not-found = no such stream
    .cure = Check the stream's name, and that it is live.
net-refused-closed = closed by the server
    .cure = Try again later, and check the stream on the service's dashboard.
net-refused-failed = the server failed
    .cure = Try again later, and check the stream on the service's dashboard.
net-server-says = { $cause }; the server says { $words }

# Certificates.
net-certificate-expired-on = it expired on { $date } (not after)
net-certificate-expired = it has expired (not after)
net-certificate-valid-from = it is valid only from { $date } on (not before)
net-certificate-not-yet = it is not valid yet (not before)
net-certificate-no-names = it names no host at all (subject alternative name), not { $host }
net-certificate-wrong-name = it is for { $names } (subject alternative name), not for { $host }
net-certificate-issuer = its issuer is not trusted by this machine, or it signed itself (issuer)
net-certificate-revoked = revoked by the issuer (revocation)
net-certificate-signature = invalid signature (signature)
net-certificate-purpose = it is not made for a server (extended key usage)
net-certificate-authority = a CA certificate, like most self-signed ones, and not a server certificate (basic constraints: CA)
net-certificate-pin = its SHA-256 is { $presented }, not the pinned { $expected }
net-file-no-certificate = it holds no certificate
net-file-too-large = it is too large
net-file-empty = it is empty
net-file-no-key = it holds no private key that could be read (PEM)
net-file-other-key = it does not fit the certificate: { $reason }

# Proxies.
net-proxy-unreachable = the proxy { $proxy }: { $problem }
    .cure = Check the proxy's address and port, and that the proxy is running.
net-proxy-needs-login = the proxy { $proxy }: it wants a user and a password
    .cure = Give the proxy's user and password: http://user:password@host:port.
net-proxy-wrong-login = the proxy { $proxy }: it does not accept the user and password
    .cure = Check the proxy's user and password.
net-proxy-refused = the proxy { $proxy }: it does not connect: { $problem }
    .cure = Check the server's address and port. Many proxies allow only port 443.
net-proxy-not-one = the proxy { $proxy }: { $problem }
    .cure = Check the proxy's address, port and type (http:// or socks5://).
net-proxy-no-http = it does not speak HTTP
net-proxy-closed = it closed the connection
socks-not-socks = it does not speak SOCKS 5
socks-needs-login = it wants a user and a password
socks-wrong-login = it does not accept user and password
socks-too-long = user, password or host is longer than 255 bytes
socks-forbidden = its rules forbid the connection
socks-network-unreachable = it cannot reach the server's network
socks-host-unreachable = it does not find or reach the server
socks-connection-refused = the server refuses the connection
socks-failed = it failed (code { $code })

# Cures that depend on the stage.
net-cure-dns = Check that this machine is online and that DNS works.
net-cure-tcp = Check the address and the port. A firewall may block the connection, or the server is down.
net-cure-tls = Check the port. If the server does not support TLS, use rtmp:// instead of rtmps://.
net-cure-handshake = Check that address and port belong to an RTMP server; if it wants TLS, use rtmps://.
net-cure-connect = Check the application part of the URL (such as /live); the server may also be full.
net-cure-publish = Many servers refuse like this: check the stream key, and that nobody else (or your own earlier connection) is live with it.
net-cure-publish-silent = The server did not answer: check the stream key, or try again later.
net-cure-play = Check the stream's name, and that it is live.
net-cure-login = Check user and password (rtmp://user:password@server/app), or the URL.
net-cure-ended = The server ended the stream. Read its message, and check the service's dashboard.
net-cure-request = Check that address and port belong to a web server; if it wants TLS, use https:// or wss://.
net-cure-media = Check the network connection and the server's own messages.
net-cure-address = Check the address, the port and your network connection.
net-cure-sent-on = Tell whoever runs the server, or use another address of its service.
