# 连接服务器途中的问题（src/net）：原因，以及 .cure 中的解决办法。与 en 保持同步。

# 阶段（原因中看不出时）
net-with-peer = { $peer }：{ $cause }
net-at-dns = 解析主机名时：{ $cause }
net-at-tcp = 建立 TCP 连接时：{ $cause }
net-at-tls = TLS 握手时：{ $cause }
net-at-handshake = RTMP 握手时：{ $cause }
net-at-connect = 连接应用时：{ $cause }
net-at-publish = 请求推流时：{ $cause }
net-at-play = 请求播放时：{ $cause }
net-at-request = HTTP 请求时：{ $cause }
net-at-media = 直播过程中：{ $cause }

# 原因
net-no-such-host = 找不到这个主机名
    .cure = 请检查服务器地址的拼写，以及本机是否联网。
net-lookup-failed = 无法解析主机名：{ $reason }
    .cure = 请检查本机是否联网、DNS 是否正常。
net-connection-refused = 连接被拒绝：该端口没有服务
    .cure = 请检查端口，以及服务器是否正在运行。RTMP 使用 1935 端口，RTMPS 通常使用 443 端口。
net-no-answer = { $seconds } 秒内没有响应
net-unreachable = 网络或主机不可达
    .cure = 请检查网络连接、VPN 和地址。
net-forbidden = 连接被本机阻止
    .cure = 本机的防火墙或安全设置拦截了连接，请在那里放行 onair。
net-closed = 服务器关闭了连接
net-cut = 连接中断
net-timed-out = 连接超时
net-no-progress = 服务器 { $seconds } 秒没有接收数据
    .cure = 网络或服务器卡住了，请检查网络。
net-certificate = 服务器证书验证失败：{ $problem }
    .cure = 如果是自己的服务器，可用 --tls-ca 或 --tls-pin 信任该证书；否则请勿连接，以免泄露密钥。
net-certificate-date = 服务器证书验证失败：{ $problem }
    .cure = 请检查本机日期。如果日期正确，需要服务器管理员更新证书。
net-certificate-early = 服务器证书验证失败：{ $problem }
    .cure = 请检查本机的日期和时间。
net-certificate-name = 服务器证书验证失败：{ $problem }
    .cure = 请使用证书中的服务器名称。
net-certificate-not-pinned = 服务器证书验证失败：{ $problem }
    .cure = 如果管理员更换过服务器证书，请重新固定新证书；否则连接可能被人监听，请勿连接。
net-certificate-not-accepted-one = 服务器证书验证失败：{ $problem }
    .cure = 如果管理员更换过服务器证书，请在观看页点击齿轮（连接），移除该服务器后重新播放；否则连接可能被人监听，请勿连接。
net-certificate-to-pin = 服务器证书验证失败：{ $problem }
    .cure = 如果是自己的服务器，可用 --tls-ca 或 --tls-pin 信任该证书；否则请勿连接，以免泄露密钥。证书指纹：{ $pin }
net-not-tls = 服务器的此端口不支持 TLS
    .cure = 请检查端口。如果服务器不支持 TLS，请用 rtmp:// 代替 rtmps://。
net-tls-failed = 安全连接失败：{ $reason }
    .cure = 请检查端口。如果服务器不支持 TLS，请用 rtmp:// 代替 rtmps://。
net-tls-in-tls = 不支持在 TLS 中再使用 TLS
net-not-a-certificate-name = 证书中不能使用名称“{ $host }”
net-trust-file = 无法使用证书文件 { $path }：{ $reason }
    .cure = 请选择可读取的 PEM 或 DER 证书文件。
net-tunnel-not-http = 服务器的此端口不支持 HTTP
    .cure = 此服务器不支持 HTTP 隧道中的 RTMP。请检查端口，或用 rtmp:// 代替 rtmpt://（rtmps:// 代替 rtmpts://）。
net-tunnel-refused = 服务器拒绝 HTTP 隧道：{ $reason }
    .cure = 此服务器不支持 HTTP 隧道中的 RTMP。请检查端口，或用 rtmp:// 代替 rtmpt://（rtmps:// 代替 rtmpts://）。
net-answer = 服务器返回 { $answer }
    .cure = 请稍后再试。如果是自己的服务器，请查看服务器日志。
net-answer-login = 服务器返回 { $answer }
    .cure = 请检查用户名和密码（https://用户名:密码@服务器/…），或地址中的令牌。
net-answer-not-found = 服务器返回 { $answer }
    .cure = 请检查地址中的路径，并确认对方正在直播。
net-protocol = 服务器违反了协议：{ $reason }
    .cure = 服务器或中间设备发来的不是有效的 RTMP，请换一个服务器。
net-message-too-long = 一条消息超过 { $kib } KiB
net-sent-in-a-circle = 服务器循环重定向
net-sent-too-often = 服务器重定向次数过多
net-sent-nowhere = 服务器重定向到了不够安全或无法推流的地址
net-network-changed = 本机网络发生变化
    .cure = onair 会通过当前网络重新连接。
net-no-network = 本机没有能连到该服务器的网络
    .cure = 请插好网线，或重新连接 Wi-Fi。网络恢复后会自动重连。
net-silent = 服务器不再接收数据
    .cure = 服务器或网络卡住了。如果经常发生，请使用该平台的其他服务器。
net-still-there = 可能是你之前的连接还没断开：{ $cause }
    .cure = 请等服务器断开之前的连接。如果要等几分钟，说明有其他程序正在用此密钥直播，请停止那个程序。
net-codecs = 服务器不支持 { $codecs }
    .cure = 请改用 H.264 和 AAC 推流（不用 --copy），所有服务器都支持；也可以换一个支持这些编码的服务器。
net-bind = 无法从 { $from } 发起连接：{ $reason }
    .cure = 请选择本机上能连到服务器的地址或网络接口。
net-bind-family = 服务器没有这个 IP 版本的地址
net-no-port = 所有端口都连不上：{ $tried }
    .cure = 请确认服务器使用哪些端口，以及各端口使用什么协议。
net-no-port-answers = 所有端口都连不上：{ $tried }
    .cure = 请检查服务器是否在运行、使用哪些端口。如果防火墙只放行网页端口，可以试 rtmps:// 或 rtmpts://。
net-tried = { $port }（{ $stage }）：{ $cause }
net-sent-on = 服务器将直播重定向到 { $peer }：{ $cause }

# 不是 RTMP 服务器的回应
net-not-rtmp-web = 收到的是网页服务器（HTTP）的响应
    .cure = 请检查地址和端口：这不是 RTMP 服务器。RTMP 服务器通常使用 1935 端口。
net-not-rtmp-tls = 服务器的此端口使用 TLS
    .cure = 请用 rtmps:// 代替 rtmp://。
net-not-rtmp-banner = 服务器返回的第一行是“{ $line }”
    .cure = 请检查地址和端口：这不是 RTMP 服务器。RTMP 服务器通常使用 1935 端口。
net-not-rtmp = 服务器返回的不是 RTMP 握手，开头为 { $bytes }
    .cure = 请检查地址和端口：这不是 RTMP 服务器。RTMP 服务器通常使用 1935 端口。

# 网页服务器的问题
net-web-circle = 服务器循环重定向
    .cure = 这是服务器的问题。请换一个地址，或联系服务器管理员。
net-web-nowhere = 服务器重定向到了无法读取的地址：{ $reason }
    .cure = 这是服务器的问题。请换一个地址，或联系服务器管理员。
net-web-unsafe = 服务器重定向到了没有 TLS 的地址，不够安全
    .cure = 这是服务器的问题。请换一个地址，或联系服务器管理员。
net-web-other-protocol = 服务器重定向到了另一种协议
    .cure = 这是服务器的问题。请换一个地址，或联系服务器管理员。
net-web-packed = 服务器发来的是压缩数据（{ $by }），而 onair 请求的是未压缩数据
    .cure = 这是服务器的问题。请换一个地址，或联系服务器管理员。
net-web-too-much = 服务器发送的内容超过 { $kib } KiB
    .cure = 这是服务器的问题。请换一个地址，或联系服务器管理员。
net-web-too-little = 服务器发送的数据比声明的少
    .cure = 这是服务器的问题。请换一个地址，或联系服务器管理员。
net-web-other-part = 服务器返回的不是所请求的文件片段
    .cure = 这是服务器的问题。请换一个地址，或联系服务器管理员。

# 网址
net-url-too-long = 地址超过 { $bytes } 字节
net-url-unreadable = 地址不是有效的网址
net-url-scheme = 地址不以 http、https、ws 或 wss 开头
net-url-no-host = 地址中缺少服务器名

# 服务器拒绝
net-refused-unauthorized = 未获授权
    .cure = 请检查推流密钥：到平台开播页面重新复制。
net-refused-rejected = 被拒绝
    .cure = 请检查推流地址和密钥。也可能是平台停用了此账号。
net-refused-busy = 名称已被占用
    .cure = 如果是你之前的连接，请等它自动断开；否则请结束正在用此密钥直播的程序，或检查密钥。
net-refused-app = 没有此应用
    .cure = 请检查地址中的应用部分（如 /live）。
net-refused-not-found = 没有这个直播流
    .cure = 请检查流名，并确认正在直播。
net-refused-closed = 被服务器关闭
    .cure = 请稍后再试，并到平台页面查看直播状态。
net-refused-failed = 服务器内部错误
    .cure = 请稍后再试，并到平台页面查看直播状态。
net-server-says = { $cause }；服务器消息：{ $words }

# 证书
net-certificate-expired-on = 已于 { $date } 过期（not after）
net-certificate-expired = 已过期（not after）
net-certificate-valid-from = 从 { $date } 起才有效（not before）
net-certificate-not-yet = 尚未生效（not before）
net-certificate-no-names = 证书中没有主机名（subject alternative name），不能用于 { $host }
net-certificate-wrong-name = 证书签发给 { $names }（subject alternative name），而不是 { $host }
net-certificate-issuer = 本机不信任颁发者，或证书是自签名的（issuer）
net-certificate-revoked = 已被颁发者吊销（revocation）
net-certificate-signature = 签名无效（signature）
net-certificate-purpose = 不是服务器证书（extended key usage）
net-certificate-authority = 这是 CA 证书，不是服务器证书，自签名证书常有此问题（basic constraints: CA）
net-certificate-pin = 证书的 SHA-256 为 { $presented }，与固定的 { $expected } 不同
net-file-no-certificate = 文件中没有证书
net-file-too-large = 文件过大
net-file-empty = 文件为空
net-file-no-key = 文件中没有可读取的私钥（PEM）
net-file-other-key = 私钥与证书不匹配：{ $reason }

# 代理
net-proxy-unreachable = 代理 { $proxy }：{ $problem }
    .cure = 请检查代理的地址和端口，以及代理是否在运行。
net-proxy-needs-login = 代理 { $proxy }：需要用户名和密码
    .cure = 请填写代理的用户名和密码：http://用户名:密码@主机:端口。
net-proxy-wrong-login = 代理 { $proxy }：用户名或密码不正确
    .cure = 请检查代理的用户名和密码。
net-proxy-refused = 代理 { $proxy }：拒绝连接：{ $problem }
    .cure = 请检查服务器的地址和端口。许多代理只放行 443 端口。
net-proxy-not-one = 代理 { $proxy }：{ $problem }
    .cure = 请检查代理的地址、端口和类型（http:// 或 socks5://）。
net-proxy-no-http = 不支持 HTTP
net-proxy-closed = 代理关闭了连接
socks-not-socks = 不支持 SOCKS 5
socks-needs-login = 需要用户名和密码
socks-wrong-login = 用户名或密码不正确
socks-too-long = 用户名、密码或主机名超过 255 字节
socks-forbidden = 代理规则禁止此连接
socks-network-unreachable = 代理无法到达服务器所在的网络
socks-host-unreachable = 代理找不到服务器，或无法连接服务器
socks-connection-refused = 服务器拒绝连接
socks-failed = 代理出错（代码 { $code }）

# 随阶段不同的解决办法
net-cure-dns = 请检查本机是否联网、DNS 是否正常。
net-cure-tcp = 请检查地址和端口。也可能是防火墙拦截，或服务器已停机。
net-cure-tls = 请检查端口。如果服务器不支持 TLS，请用 rtmp:// 代替 rtmps://。
net-cure-handshake = 请确认地址和端口属于 RTMP 服务器。如果需要 TLS，请用 rtmps://。
net-cure-connect = 请检查地址中的应用部分（如 /live）。也可能是服务器已满。
net-cure-publish = 很多服务器用这种方式拒绝错误的密钥。请检查推流密钥，并确认没有其他程序或你之前的连接正在用它直播。
net-cure-publish-silent = 服务器没有响应。请检查推流密钥，或稍后再试。
net-cure-play = 请检查流名，并确认正在直播。
net-cure-login = 请检查用户名和密码（rtmp://用户名:密码@服务器/应用），或检查地址。
net-cure-ended = 服务器结束了直播。请查看服务器的消息，并到平台页面查看原因。
net-cure-request = 请确认地址和端口属于网页服务器。如果需要 TLS，请用 https:// 或 wss://。
net-cure-media = 请检查网络连接和服务器日志。
net-cure-address = 请检查地址、端口和网络。
net-cure-sent-on = 请联系服务器管理员，或使用该平台的其他服务器。

# 服务器地址（src/wire/rtmp/url）
url-empty = 地址为空
url-no-scheme = 地址不以 rtmp:// 或 rtmps:// 开头
url-scheme = 不支持 { $scheme }://
url-no-host = 地址中没有服务器
url-brackets = IPv6 地址要加方括号：rtmp://[::1]/app/key
url-port = 端口“{ $port }”不是 1 到 65535 的数
url-no-app = 地址中没有应用：rtmp://server/app/key
url-no-stream = 地址中没有推流密钥：rtmp://server/app/key
url-character = 地址中有空格或控制字符
url-too-long = 地址长于 { $bytes } 字节
url-use-rtmp = 请使用 rtmp:// 或 rtmps://。
url-ask-for-rtmp = 请向平台索取 RTMP 地址，它以 rtmp:// 或 rtmps:// 开头。
url-instead-of-rtmpe = 它的加密已被破解。请使用 rtmps://，服务器没有 TLS 时使用 rtmp://。
url-instead-of-rtmfp = 这是 Adobe 用于 Flash 播放器的协议。请向平台索取 rtmp:// 或 rtmps:// 地址。
url-instead-of-web = 这是网页、WebRTC（WHIP）或观看直播的地址。推流地址以 rtmp:// 或 rtmps:// 开头；如果只允许网页流量，请使用 rtmpt:// 或 rtmpts://。
url-instead-of-rtsp = 这是摄像头使用的协议。请使用 rtmp:// 或 rtmps:// 地址。
target-built-in-off = 内置服务器没有运行
target-key-missing = 缺少推流密钥
