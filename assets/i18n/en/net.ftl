# Problems on the way to a server (src/net): the causes, with the cures (.cure). Keep in step with zh-CN.

# The stage, if the cause does not indicate it.
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
    .cure = Check the spelling of the server address, and make sure that this computer is online.
net-lookup-failed = the name lookup failed: { $reason }
    .cure = Check that this computer is online and that DNS works.
net-connection-refused = connection refused: nothing is listening on this port
    .cure = Check the port, and make sure that the server is running. RTMP uses port 1935, RTMPS usually port 443.
net-no-answer = no response within { $seconds } s
net-unreachable = the network or the host is unreachable
    .cure = Check the network connection, the VPN and the address.
net-forbidden = this computer blocks the connection
    .cure = Allow onair in this computer's firewall or security settings.
net-unanswered = connected, but no answer for { $seconds } s
net-accepted-then-closed = { $seconds ->
    [none] the server accepted the stream, and closed the connection at once
   *[other] the server accepted the stream, and closed the connection after { $seconds } s
}
net-closed-each-time = the server closed the connection { $times } times, each after { $seconds } s
net-closed = the server closed the connection
net-cut = the connection was reset
net-timed-out = the connection timed out
net-no-progress = the server accepted no data for { $seconds } s
    .cure = The network or the server stalled. Check your connection.
net-certificate = onair rejects the server's certificate: { $problem }
    .cure = If the server is yours, replace its certificate, or trust the certificate (command line: --tls-ca or --tls-pin). Otherwise do not connect.
net-certificate-date = onair rejects the server's certificate: { $problem }
    .cure = Check this computer's date. If the date is right, the server's operator must renew the certificate.
net-certificate-early = onair rejects the server's certificate: { $problem }
    .cure = Check this computer's date and time.
net-certificate-name = onair rejects the server's certificate: { $problem }
    .cure = Connect with a server name that the certificate lists.
net-certificate-no-roots = onair rejects the server's certificate: { $problem }
    .cure = Install your system's certificates, usually the package ca-certificates. If the server is yours, you can also trust its certificate (command line: --tls-ca or --tls-pin).
net-certificate-old = onair rejects the server's certificate: { $problem }
    .cure = The server's operator must create the certificate again, for example with openssl req -x509.
net-certificate-not-pinned = onair rejects the server's certificate: { $problem }
    .cure = If the server's operator renewed the certificate, pin the new one. Otherwise do not connect: somebody may be intercepting the connection.
net-certificate-not-accepted-one = onair rejects the server's certificate: { $problem }
    .cure = If the server's operator renewed the certificate, press the button with the sliders on the Watch page, remove the server from the trusted servers, and play the stream again. Otherwise do not connect: somebody may be intercepting the connection.
net-certificate-to-pin = onair rejects the server's certificate: { $problem }
    .cure = If the server is yours, trust its certificate (command line: --tls-ca or --tls-pin). Otherwise do not connect. The pin is { $pin }.
net-not-tls = the server does not use TLS on this port
    .cure = Check the port. If the server does not support TLS, use rtmp:// instead of rtmps://.
net-tls-failed = the secure connection failed: { $reason }
    .cure = Check the port. If the server does not support TLS, use rtmp:// instead of rtmps://.
net-client-not-tls = the client does not use TLS on this port
net-tls-in-tls = onair does not support TLS inside TLS
net-not-a-certificate-name = '{ $host }' is not a valid host name, so onair cannot check the certificate
net-trust-file = onair cannot use the certificate file { $path }: { $reason }
    .cure = Choose a readable certificate file in PEM or DER format.
net-tunnel-not-http = the server does not speak HTTP on this port
    .cure = Check the port. If it is correct, use rtmp:// instead of rtmpt://, or rtmps:// instead of rtmpts://.
net-tunnel-refused = the server rejects the HTTP tunnel: { $reason }
    .cure = This server does not accept RTMP over HTTP. Check the port, or use rtmp:// instead of rtmpt:// (rtmps:// instead of rtmpts://).
net-answer = the server responded with { $answer }
    .cure = Try again later. If you run the server, check its log.
net-answer-login = the server responded with { $answer }
    .cure = Check the user name and password (https://user:password@server/…), or the token in the URL.
net-answer-cookie = the server responded with { $answer } after a redirect that set a cookie
    .cure = onair does not support cookies. Use a URL that works without a cookie, for example with a token.
net-answer-not-found = the server responded with { $answer }
    .cure = Check the path in the URL, and make sure that the stream is live.
net-protocol = protocol error: { $reason }
    .cure = Try another server, or contact the server's operator.
net-message-too-long = a message exceeds onair's limit of { $kib } KiB
net-sent-in-a-circle = the server redirects in a loop
net-sent-too-often = the server redirects too many times
net-sent-nowhere = the server redirects to an address that is less secure or that onair cannot use
net-network-changed = this computer's network has changed
    .cure = onair reconnects over the current network.
net-no-network = this computer has no network connection to the server
    .cure = Plug in the network cable, or rejoin the wireless network.
net-silent = the server no longer accepts data
    .cure = The server or the network stalled. If this happens often, use another of the service's servers.
net-still-there = your previous connection is probably still open: { $cause }
    .cure = Wait until the server closes your previous connection. If it stays open for several minutes, stop any other program that is live with this key.
net-codecs = the server does not support { $codecs }
    .cure = Send H.264 and AAC, which almost every server accepts (command line: omit --copy), or use a server that supports the current codecs.
net-bind = onair cannot connect from { $from }: { $reason }
    .cure = Choose an address or interface of this computer that has a route to the server.
net-bind-no-address = this computer does not have this address
net-bind-no-interface = this computer has no network interface with this name
net-bind-forbidden = the system does not allow it
net-bind-family = the server has no address with the same IP version as the local address
net-no-port = onair cannot connect on any port: { $tried }
    .cure = Check which ports the server uses, and for which protocols.
net-no-port-answers = onair cannot connect on any port: { $tried }
    .cure = Make sure that the server is running, and check which ports it uses. If a firewall allows only web ports, try rtmps:// or rtmpts://.
net-tried = { $port } ({ $stage }): { $cause }
net-sent-on = the server redirected onair to { $peer }, and that connection failed: { $cause }

# Servers that answer instead of an RTMP server.
net-not-rtmp-web = a web server (HTTP) responded
    .cure = Check the address and the port: this is not an RTMP server. RTMP servers usually use port 1935.
net-not-rtmp-tls = the server speaks TLS on this port
    .cure = Use rtmps:// instead of rtmp://.
net-not-rtmp-banner = the server's greeting is "{ $line }"
    .cure = Check the address and the port: this is not an RTMP server. RTMP servers usually use port 1935.
net-not-rtmp = the response is not an RTMP handshake; it begins with { $bytes }
    .cure = Check the address and the port: this is not an RTMP server. RTMP servers usually use port 1935.

# Wrong responses of web servers.
net-web-circle = the server redirects in a loop
    .cure = The server is at fault. Try another address, or contact the server's operator.
net-web-nowhere = the server redirects to an address that onair cannot read: { $reason }
    .cure = The server is at fault. Try another address, or contact the server's operator.
net-web-unsafe = the server redirects to an address without TLS, which is less secure
    .cure = The server is at fault. Try another address, or contact the server's operator.
net-web-other-protocol = the server redirects to another protocol
    .cure = The server is at fault. Try another address, or contact the server's operator.
net-web-packed = the server sent compressed data ({ $by }), but onair asked for uncompressed data
    .cure = The server is at fault. Try another address, or contact the server's operator.
net-web-too-much = the server sent more than onair's limit of { $kib } KiB
    .cure = Try another address, or contact the server's operator.
net-web-too-little = the server sent less data than it announced
    .cure = The server is at fault. Try another address, or contact the server's operator.
net-web-other-part = the server did not send the requested part of the file
    .cure = The server is at fault. Try another address, or contact the server's operator.

# Addresses on the web.
net-url-too-long = the address is longer than { $bytes } bytes
net-url-unreadable = the address is not a valid URL
net-url-scheme = the address does not begin with http, https, ws or wss
net-url-no-host = the address has no server name

# Rejections by a server.
net-refused-unauthorized = not authorized
    .cure = Check the stream key: copy it again from the service's dashboard.
net-refused-rejected = rejected
    .cure = Check the URL and the stream key. The service may also have suspended your account.
net-refused-busy = the stream name or key is already in use
    .cure = If your own earlier connection is still open, wait until it ends. Otherwise, stop the program that is live with this key, or check the key.
net-refused-app = no such application
    .cure = Check the application part of the URL (such as /live).
net-refused-not-found = no such stream
    .cure = Check the stream name, and make sure that the stream is live.
net-refused-closed = closed by the server
    .cure = Try again later, and check the stream on the service's dashboard.
net-refused-failed = the server reported an internal error
    .cure = Try again later, and check the stream on the service's dashboard.
net-server-says = the server says "{ $words }" ({ $code }): { $cause }
net-server-text = the server says "{ $words }": { $cause }
net-server-code = { $cause } ({ $code })

# Certificates.
net-certificate-expired-on = it expired on { $date } (notAfter)
net-certificate-expired = it has expired (notAfter)
net-certificate-valid-from = it is not valid before { $date } (notBefore)
net-certificate-not-yet = it is not valid yet (notBefore)
net-certificate-no-names = it contains no host name (subject alternative name), so it is not valid for { $host }
net-certificate-wrong-name = it is for { $names } (subject alternative name), not for { $host }
net-certificate-issuer = the certificate is self-signed, or this computer does not trust its issuer (issuer)
net-certificate-no-authorities = this computer has no list of trusted certificate authorities
net-certificate-version = it is an X.509 version 1 certificate; onair supports only version 3
net-certificate-revoked = it has been revoked by its issuer
net-certificate-signature = its signature is invalid
net-certificate-purpose = it is not a server certificate (extended key usage)
net-certificate-authority = like most self-signed certificates, it is a CA certificate (basic constraints: CA) and not a server certificate
net-certificate-pin = its SHA-256 is { $presented }, not the pinned { $expected }
net-file-no-certificate = the file contains no certificate
net-file-bad-certificate = the file contains a damaged certificate, or is not in PEM or DER format
net-file-too-large = the file is too large
net-file-empty = the file is empty
net-file-no-key = the file contains no readable private key (PEM)
net-file-key-kind = the key is damaged, or of a kind that onair does not support; use RSA (2048 to 4096 bits), P-256, P-384 or Ed25519
net-file-other-key = the key does not match the certificate: { $reason }

# Proxies.
net-proxy-unreachable = onair cannot reach the proxy { $proxy }: { $problem }
    .cure = Check the proxy's address and port, and make sure that the proxy is running.
net-proxy-needs-login = the proxy { $proxy } requires a user name and a password
    .cure = Write the user name and the password before the host in the proxy's address: user:password@host:port.
net-proxy-wrong-login = the proxy { $proxy } does not accept the user name and password
    .cure = Check the proxy's user name and password.
net-proxy-other-login = the proxy { $proxy } accepts only these login methods: { $methods }
    .cure = onair supports only Basic. Allow Basic in the proxy's settings, or use another proxy.
net-proxy-refused = the proxy { $proxy } cannot connect to the server: { $problem }
    .cure = Check the server's address and port. Many proxies allow only port 443.
net-proxy-not-one = the proxy { $proxy } does not work: { $problem }
    .cure = Check the proxy's address, port and type (http:// or socks5://).
net-proxy-no-http = it does not speak HTTP
net-proxy-closed = it closed the connection
socks-not-socks = it does not speak SOCKS 5
socks-needs-login = it requires a user name and a password
socks-wrong-login = it does not accept the user name and password
socks-too-long = the user name, password or host is longer than 255 bytes
socks-forbidden = its rules forbid the connection
socks-network-unreachable = the network is unreachable
socks-host-unreachable = the host is unknown or unreachable
socks-connection-refused = the server refuses the connection
socks-failed = it reports error { $code }

# Cures that depend on the stage.
net-cure-dns = Check that this computer is online and that DNS works.
net-cure-tcp = Check the address and the port. A firewall may be blocking the connection, or the server may be down.
net-cure-tls = Check the port. If the server does not support TLS, use rtmp:// instead of rtmps://.
net-cure-handshake = Check that the address and port belong to an RTMP server. If the server requires TLS, use rtmps://.
net-cure-connect = Check the application part of the URL (such as /live). The server may also be full.
net-cure-publish = Check the stream key: many servers respond this way to a wrong key. Make sure that no other program or earlier connection uses the same key.
net-cure-publish-silent = The server did not respond. Check the stream key, or try again later.
net-cure-play = Check the stream name, and make sure that the stream is live.
net-cure-play-key = Check the key or token in the address: it may have changed or expired.
net-cure-login = Check the user name and password (rtmp://user:password@server/app), or the URL.
net-cure-ended = The server ended the stream. Read the server's message, and check the service's dashboard.
net-cure-replaced = The server ended the stream. Read the server's message. If another program publishes with the same stream key, stop that program.
net-cure-request = Check that the address and port belong to a web server. If the server requires TLS, use https:// or wss://.
net-cure-media = Check the network connection and the server's log.
net-cure-worked = The server worked before, so the address is right. It may be restarting, or it has stopped. If this continues, ask its operator.
net-cure-each-time = The stream key may be limited or expired. Check it on the service's dashboard, and look for a time limit there.
net-cure-address = Check the address, the port and your network connection.
net-cure-sent-on = Contact the server's operator, or use another of the service's servers.

# Addresses of servers (src/wire/rtmp/url).
url-empty = the URL is empty
url-no-scheme = the URL does not begin with rtmp:// or rtmps://
url-scheme = onair does not support { $scheme }://
url-no-host = the URL has no server name
url-brackets = an IPv6 address needs brackets: use rtmp://[::1]/app/key
url-port = the port '{ $port }' is not a number from 1 to 65535
url-unescaped = write / as %2F and ? as %3F in the user name and password
url-no-app = the URL has no application: use rtmp://server/app/key
url-no-stream = the URL has no stream key: use rtmp://server/app/key
url-character = the URL contains a space or an invisible character
url-too-long = the URL is longer than { $bytes } bytes
url-key-space = the stream key contains a space
url-key-character = the stream key contains an invisible character
url-key-too-long = the stream key is longer than { $bytes } bytes
url-use-rtmp = Use rtmp:// or rtmps://.
url-ask-for-rtmp = Ask the service for its RTMP address, which begins with rtmp:// or rtmps://.
url-instead-of-rtmpe = RTMPE encryption is broken. Use rtmps://, or rtmp:// if the server has no TLS.
url-instead-of-rtmfp = RTMFP is Adobe's protocol for Flash players. Ask the service for an rtmp:// or rtmps:// address.
url-instead-of-web = This is the address of a web page, a WebRTC endpoint (WHIP) or a stream to watch. Use an address that begins with rtmp:// or rtmps://. If your network allows only web traffic, use rtmpt:// or rtmpts://.
url-instead-of-rtsp = This protocol is for network cameras. Use an rtmp:// or rtmps:// address.
url-ts-no-port = the address has no port
    .cure = Use tcp://host:port or udp://host:port.
url-ts-port = the port is not a number from 1 to 65535
url-ts-path = a tcp:// or udp:// address has no path and no stream key
    .cure = Use tcp://host:port or udp://host:port.
url-ts-login = a tcp:// or udp:// address has no user name and no password
    .cure = Use tcp://host:port or udp://host:port.
url-ts-listen = ?listen is only for the receiver's own address
    .cure = Remove ?listen, and enter the address of the receiver.
url-ts-tcp-option = tcp:// addresses have no option { $name }
    .cure = Remove the option.
url-ts-udp-option = udp:// addresses have no option { $name }
    .cure = Use only pkt_size, ttl and localaddr.
url-ts-value = { $name }={ $value } is not valid
    .cure = Use bytes for pkt_size, a number from 1 to 255 for ttl, and an IP address of this computer for localaddr.
url-ts-size = pkt_size is not between { $least } and { $most }
    .cure = Use pkt_size=1316, or remove the option.
net-proxy-no-datagrams = a proxy does not forward UDP
url-srt-no-port = the address has no port
    .cure = Use srt://host:port, for example srt://live.example.com:9000?streamid=…
url-srt-path = an srt:// address has no path after the port
    .cure = Put the name of the stream into the option streamid: srt://host:port?streamid=…
url-srt-login = an srt:// address has no user name before the host
    .cure = Put the login into the option streamid, in the form that the server wants.
url-srt-passphrase = an SRT passphrase has 10 to 79 characters
    .cure = Ask the server's administrator for the passphrase.
url-srt-option = srt:// addresses have no option { $name }
    .cure = Use only streamid, latency, passphrase, pbkeylen and mode.
url-srt-value = the value of { $name } is not valid
    .cure = Use milliseconds up to 10000 for latency; 16, 24 or 32 for pbkeylen; caller, listener or rendezvous for mode; and at most 512 bytes for streamid.
url-srt-rendezvous = onair has no passphrase and no stream id in rendezvous mode
    .cure = Let one side be the caller and the other one the listener.
url-srt-listener-id = only a caller names a stream
    .cure = Remove the option streamid, or use mode=caller.
url-srt-micros = the latency is read as { $millis } ms, because OBS and ffmpeg write microseconds
    .cure = Write latency={ $millis } if this is what you mean.
net-srt-silent = no SRT listener answered within { $seconds } s
    .cure = Check the address and the UDP port, and that the server listens for SRT. A firewall may block UDP.
net-srt-no-caller = no SRT caller came within { $seconds } s
    .cure = Start the receiver as a caller with the address of this computer. A firewall may block UDP.
net-bind-port-taken = another program uses this UDP port
target-built-in-off = the built-in server is not running
    .cure = Start the built-in server, or turn this target off.
target-key-missing = the stream key is missing
server-no-randomness = the system cannot provide random numbers
keyring-failed = the keyring failed: { $reason }
keyring-no-answer = the keyring is not responding
keys-file-unreadable = onair's key file { $path } is damaged
route-ports = separate the ports with commas, for example 1935, 443, 80
route-too-many-ports = at most { $most } ports are allowed
route-bind = use an IP address of this computer, or an interface such as eth1
route-proxy = use a proxy address such as http://host:port or socks5://host:port
route-proxy-more = a proxy address must end with the port
route-pin = use the certificate's SHA-256 as the pin: 64 hex digits, with or without colons
