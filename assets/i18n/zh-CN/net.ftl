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
net-no-such-host = 找不到此主机
    .cure = 请检查服务器地址的拼写，以及本机是否联网。
net-lookup-failed = 无法解析主机名：{ $reason }
    .cure = 请检查本机是否联网、DNS 是否正常。
net-connection-refused = 连接被拒绝：该端口没有服务
    .cure = 请检查端口，以及服务器是否正在运行。RTMP 使用 1935 端口，RTMPS 通常使用 443 端口。
net-no-answer = { $seconds } 秒内没有响应
net-unreachable = 网络或主机不可达
    .cure = 请检查网络连接、VPN 和地址。
net-forbidden = 连接被本机阻止
    .cure = 请在本机的防火墙或安全设置中放行 onair。
net-unanswered = 已连接，但 { $seconds } 秒没有回应
net-accepted-then-closed = { $seconds ->
    [none] 服务器接受了推流，但立即关闭了连接
   *[other] 服务器接受了推流，{ $seconds } 秒后关闭了连接
}
net-closed-each-time = 服务器已 { $times } 次关闭连接，每次都在 { $seconds } 秒后
net-closed = 服务器关闭了连接
net-cut = 连接被重置
net-timed-out = 连接超时
net-no-progress = 服务器已有 { $seconds } 秒没有接收数据
    .cure = 可能是网络中断，或服务器没有响应。请检查网络。
net-certificate = 服务器证书验证失败：{ $problem }
    .cure = 如果是自己的服务器，请更换证书，或信任该证书（命令行：--tls-ca 或 --tls-pin）；否则请勿连接。
net-certificate-date = 服务器证书验证失败：{ $problem }
    .cure = 请检查本机日期。如果日期正确，请联系服务器管理员更新证书。
net-certificate-early = 服务器证书验证失败：{ $problem }
    .cure = 请检查本机的日期和时间。
net-certificate-name = 服务器证书验证失败：{ $problem }
    .cure = 请用证书中列出的服务器名称连接。
net-certificate-no-roots = 服务器证书验证失败：{ $problem }
    .cure = 请安装系统的根证书，通常是软件包 ca-certificates。如果是自己的服务器，也可以信任它的证书（命令行：--tls-ca 或 --tls-pin）。
net-certificate-old = 服务器证书验证失败：{ $problem }
    .cure = 请让服务器管理员重新生成证书，例如用 openssl req -x509。
net-certificate-not-pinned = 服务器证书验证失败：{ $problem }
    .cure = 如果管理员更换过服务器证书，请改用新证书的指纹；否则连接可能被人劫持，请勿连接。
net-certificate-not-accepted-one = 服务器证书验证失败：{ $problem }
    .cure = 如果管理员更换过服务器证书，请在“观看”页点击地址旁带滑块的按钮，从“已信任证书的服务器”中移除该服务器，然后重新播放；否则连接可能被人劫持，请勿连接。
net-certificate-to-pin = 服务器证书验证失败：{ $problem }
    .cure = 如果是自己的服务器，可以信任该证书（命令行：--tls-ca 或 --tls-pin）；否则请勿连接。证书指纹：{ $pin }
net-not-tls = 服务器的此端口不支持 TLS
    .cure = 请检查端口。如果服务器不支持 TLS，请用 rtmp:// 代替 rtmps://。
net-tls-failed = 安全连接失败：{ $reason }
    .cure = 请检查端口。如果服务器不支持 TLS，请用 rtmp:// 代替 rtmps://。
net-client-not-tls = 客户端没有在此端口使用 TLS
net-tls-in-tls = 不支持在 TLS 连接中嵌套 TLS
net-not-a-certificate-name = 主机名“{ $host }”无效，无法验证服务器证书
net-trust-file = 无法使用证书文件 { $path }：{ $reason }
    .cure = 请选择可读取的 PEM 或 DER 证书文件。
net-tunnel-not-http = 服务器的此端口不支持 HTTP
    .cure = 请检查端口。如果端口正确，请用 rtmp:// 代替 rtmpt://，或用 rtmps:// 代替 rtmpts://。
net-tunnel-refused = 服务器拒绝 HTTP 隧道：{ $reason }
    .cure = 此服务器不支持通过 HTTP 传输 RTMP。请检查端口，或用 rtmp:// 代替 rtmpt://（rtmps:// 代替 rtmpts://）。
net-answer = 服务器返回 { $answer }
    .cure = 请稍后再试。如果是自己的服务器，请查看服务器日志。
net-answer-login = 服务器返回 { $answer }
    .cure = 请检查用户名和密码（https://用户名:密码@服务器/…），或地址中的令牌。
net-answer-cookie = 服务器先通过重定向设置 Cookie，然后返回 { $answer }
    .cure = onair 不支持 Cookie。请使用不需要 Cookie 的地址，例如带令牌的地址。
net-answer-not-found = 服务器返回 { $answer }
    .cure = 请检查地址中的路径，并确认对方正在直播。
net-protocol = 协议错误：{ $reason }
    .cure = 请换一个服务器，或联系服务器管理员。
net-message-too-long = 有一条消息的大小超过 onair 的上限（{ $kib } KiB）
net-sent-in-a-circle = 服务器的重定向陷入循环
net-sent-too-often = 服务器重定向次数过多
net-sent-nowhere = 服务器要求转到安全性更低的地址，或 onair 无法使用的地址
net-network-changed = 本机网络发生变化
    .cure = onair 会通过当前网络重新连接。
net-no-network = 本机没有可以连接该服务器的网络
    .cure = 请插好网线，或重新连接 Wi-Fi。
net-silent = 服务器不再接收数据
    .cure = 可能是网络中断，或服务器没有响应。如果经常发生，请使用该平台的其他服务器。
net-still-there = 可能是你之前的连接还没断开：{ $cause }
    .cure = 请等服务器断开之前的连接。如果几分钟后仍未断开，可能有其他程序正在用此密钥直播，请停止那个程序。
net-codecs = 服务器不支持 { $codecs }
    .cure = 请改用 H.264 和 AAC 推流，几乎所有服务器都支持（命令行：不用 --copy）；也可以换一个支持这些编码的服务器。
net-bind = 无法从 { $from } 发起连接：{ $reason }
    .cure = 请选择本机上能连到服务器的地址或网络接口。
net-bind-no-address = 本机没有这个地址
net-bind-no-interface = 本机没有这个名称的网络接口
net-bind-forbidden = 系统不允许
net-bind-family = 服务器地址与本机地址的 IP 版本不一致
net-no-port = 所有端口都连不上：{ $tried }
    .cure = 请确认服务器使用哪些端口，以及各端口使用什么协议。
net-no-port-answers = 所有端口都连不上：{ $tried }
    .cure = 请检查服务器是否在运行、使用哪些端口。如果防火墙只放行网页端口，可以试试 rtmps:// 或 rtmpts://。
net-tried = { $port }（{ $stage }）：{ $cause }
net-sent-on = 服务器已重定向到 { $peer }，该连接失败：{ $cause }

# 不是 RTMP 服务器的回应
net-not-rtmp-web = 收到的是 Web 服务器（HTTP）的响应
    .cure = 请检查地址和端口：这不是 RTMP 服务器。RTMP 服务器通常使用 1935 端口。
net-not-rtmp-tls = 服务器的此端口使用 TLS
    .cure = 请用 rtmps:// 代替 rtmp://。
net-not-rtmp-banner = 服务器返回的第一行是“{ $line }”
    .cure = 请检查地址和端口：这不是 RTMP 服务器。RTMP 服务器通常使用 1935 端口。
net-not-rtmp = 服务器返回的不是 RTMP 握手，开头为 { $bytes }
    .cure = 请检查地址和端口：这不是 RTMP 服务器。RTMP 服务器通常使用 1935 端口。

# Web 服务器的问题
net-web-circle = 服务器的重定向陷入循环
    .cure = 这是服务器的问题。请换一个地址，或联系服务器管理员。
net-web-nowhere = 服务器重定向到了无法识别的地址：{ $reason }
    .cure = 这是服务器的问题。请换一个地址，或联系服务器管理员。
net-web-unsafe = 服务器重定向到了没有 TLS 的地址，不够安全
    .cure = 这是服务器的问题。请换一个地址，或联系服务器管理员。
net-web-other-protocol = 服务器重定向到了另一种协议
    .cure = 这是服务器的问题。请换一个地址，或联系服务器管理员。
net-web-packed = 服务器发来的是压缩数据（{ $by }），而 onair 请求的是未压缩数据
    .cure = 这是服务器的问题。请换一个地址，或联系服务器管理员。
net-web-too-much = 服务器发送的内容大小超过 onair 的上限（{ $kib } KiB）
    .cure = 请换一个地址，或联系服务器管理员。
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
    .cure = 请检查推流地址和密钥。也可能是平台停用了你的账号。
net-refused-busy = 流名或推流密钥已被占用
    .cure = 如果是你之前的连接，请等它自动断开；否则请结束正在用此密钥直播的程序，或检查密钥。
net-refused-app = 没有此应用
    .cure = 请检查地址中的应用部分（如 /live）。
net-refused-not-found = 直播流不存在
    .cure = 请检查流名，并确认正在直播。
net-refused-closed = 服务器主动关闭了连接
    .cure = 请稍后再试，并到平台页面查看直播状态。
net-refused-failed = 服务器内部错误
    .cure = 请稍后再试，并到平台页面查看直播状态。
net-server-says = 服务器消息“{ $words }”（{ $code }）：{ $cause }
net-server-text = 服务器消息“{ $words }”：{ $cause }
net-server-code = { $cause }（{ $code }）

# 证书
net-certificate-expired-on = 已于 { $date } 过期
net-certificate-expired = 已过期
net-certificate-valid-from = 从 { $date } 起才有效
net-certificate-not-yet = 尚未生效
net-certificate-no-names = 证书中没有主机名，不能用于 { $host }
net-certificate-wrong-name = 证书签发给 { $names }，而不是 { $host }
net-certificate-issuer = 本机不信任颁发者，或证书是自签名的
net-certificate-no-authorities = 本机没有受信任的证书颁发机构列表
net-certificate-version = 证书是 X.509 v1 证书，onair 只支持 v3
net-certificate-revoked = 已被颁发者吊销
net-certificate-signature = 签名无效
net-certificate-purpose = 证书不能用于服务器
net-certificate-authority = 这是 CA 证书，不是服务器证书；自签名证书常有此问题
net-certificate-pin = 证书的 SHA-256 为 { $presented }，与指定的指纹 { $expected } 不同
net-file-no-certificate = 文件中没有证书
net-file-bad-certificate = 文件中的证书已损坏，或不是 PEM 或 DER 格式
net-file-too-large = 文件过大
net-file-empty = 文件为空
net-file-no-key = 文件中没有可读取的私钥（PEM）
net-file-key-kind = 私钥已损坏，或者 onair 不支持这种私钥；请用 RSA（2048 至 4096 位）、P-256、P-384 或 Ed25519
net-file-other-key = 私钥与证书不匹配：{ $reason }

# 代理
net-proxy-unreachable = 无法连接代理 { $proxy }：{ $problem }
    .cure = 请检查代理的地址和端口，以及代理是否在运行。
net-proxy-needs-login = 代理 { $proxy } 需要用户名和密码
    .cure = 请在代理地址的主机前填写用户名和密码：用户名:密码@主机:端口。
net-proxy-wrong-login = 代理 { $proxy } 的用户名或密码不正确
    .cure = 请检查代理的用户名和密码。
net-proxy-other-login = 代理 { $proxy } 只接受这些登录方式：{ $methods }
    .cure = onair 只支持 Basic。请在代理的设置中允许 Basic，或换用其他代理。
net-proxy-refused = 代理 { $proxy } 未能连接到服务器：{ $problem }
    .cure = 请检查服务器的地址和端口。许多代理只放行 443 端口。
net-proxy-not-one = 代理 { $proxy } 无法使用：{ $problem }
    .cure = 请检查代理的地址、端口和类型（http:// 或 socks5://）。
net-proxy-no-http = 不支持 HTTP
net-proxy-closed = 代理关闭了连接
socks-not-socks = 不支持 SOCKS 5
socks-needs-login = 需要用户名和密码
socks-wrong-login = 用户名或密码不正确
socks-too-long = 用户名、密码或主机名超过 255 字节
socks-forbidden = 代理规则禁止此连接
socks-network-unreachable = 网络不可达
socks-host-unreachable = 找不到该主机，或主机不可达
socks-connection-refused = 服务器拒绝连接
socks-failed = 代理出错（代码 { $code }）

# 随阶段不同的解决办法
net-cure-dns = 请检查本机是否联网、DNS 是否正常。
net-cure-tcp = 请检查地址和端口。也可能是防火墙拦截，或服务器已停机。
net-cure-tls = 请检查端口。如果服务器不支持 TLS，请用 rtmp:// 代替 rtmps://。
net-cure-handshake = 请确认地址和端口属于 RTMP 服务器。如果需要 TLS，请用 rtmps://。
net-cure-connect = 请检查地址中的应用部分（如 /live）。也可能是服务器的连接数已达到上限。
net-cure-publish = 密钥错误时，很多服务器会这样响应。请检查推流密钥，并确认没有其他程序或之前的连接正在使用这个密钥。
net-cure-publish-silent = 服务器没有响应。请检查推流密钥，或稍后再试。
net-cure-play = 请检查流名，并确认正在直播。
net-cure-play-key = 请检查地址中的密钥或令牌，它可能已更换或过期。
net-cure-login = 请检查用户名和密码（rtmp://用户名:密码@服务器/应用），或检查地址。
net-cure-ended = 服务器结束了直播。请查看服务器的消息，并到平台页面查看原因。
net-cure-replaced = 服务器结束了直播。请查看服务器的消息。如果有其他程序在用同一个推流密钥推流，请停止该程序。
net-cure-request = 请确认地址和端口属于 Web 服务器。如果需要 TLS，请用 https:// 或 wss://。
net-cure-media = 请检查网络连接和服务器日志。
net-cure-worked = 服务器之前能用，说明地址没错。它可能正在重启，或已停止。如果一直如此，请联系服务器管理员。
net-cure-each-time = 推流密钥可能有时限或已过期。请到平台开播页面检查密钥，并查看有没有时长限制。
net-cure-address = 请检查地址、端口和网络。
net-cure-sent-on = 请联系服务器管理员，或使用该平台的其他服务器。

# 服务器地址（src/wire/rtmp/url）
url-empty = 地址为空
url-no-scheme = 地址不以 rtmp:// 或 rtmps:// 开头
url-scheme = 不支持 { $scheme }://
url-no-host = 地址中缺少服务器名
url-brackets = IPv6 地址要加方括号：请写成 rtmp://[::1]/应用/密钥
url-port = 端口“{ $port }”不是 1 到 65535 之间的数字
url-unescaped = 用户名和密码中的 / 要写成 %2F，? 要写成 %3F
url-no-app = 地址中没有应用名：请写成 rtmp://服务器/应用/密钥
url-no-stream = 地址中没有推流密钥：请写成 rtmp://服务器/应用/密钥
url-character = 地址中有空格或不可见的字符
url-too-long = 地址超过 { $bytes } 字节
url-key-space = 推流密钥中有空格
url-key-character = 推流密钥中有不可见的字符
url-key-too-long = 推流密钥超过 { $bytes } 字节
url-use-rtmp = 请使用 rtmp:// 或 rtmps://。
url-ask-for-rtmp = 请向平台索取 RTMP 地址，它以 rtmp:// 或 rtmps:// 开头。
url-instead-of-rtmpe = 这种协议的加密已被破解。请用 rtmps://；如果服务器不支持 TLS，请用 rtmp://。
url-instead-of-rtmfp = 这是 Adobe 用于 Flash 播放器的协议。请向平台索取 rtmp:// 或 rtmps:// 地址。
url-instead-of-web = 这是网页、WebRTC（WHIP）或观看直播的地址。推流地址以 rtmp:// 或 rtmps:// 开头；如果网络只允许网页流量，请使用 rtmpt:// 或 rtmpts://。
url-instead-of-rtsp = 这是网络摄像头使用的协议。请使用 rtmp:// 或 rtmps:// 地址。
url-ts-no-port = 地址中没有端口
    .cure = 请使用 tcp://主机:端口 或 udp://主机:端口。
url-ts-port = 端口不是 1 到 65535 之间的数字
url-ts-path = tcp:// 和 udp:// 地址没有路径，也没有推流密钥
    .cure = 请使用 tcp://主机:端口 或 udp://主机:端口。
url-ts-login = tcp:// 和 udp:// 地址没有用户名和密码
    .cure = 请使用 tcp://主机:端口 或 udp://主机:端口。
url-ts-listen = ?listen 只用于接收端自己的地址
    .cure = 请去掉 ?listen，填写接收端的地址。
url-ts-tcp-option = tcp:// 地址没有选项 { $name }
    .cure = 请去掉这个选项。
url-ts-udp-option = udp:// 地址没有选项 { $name }
    .cure = 只能使用 pkt_size、ttl 和 localaddr。
url-ts-value = { $name }={ $value } 无效
    .cure = pkt_size 填字节数，ttl 填 1 到 255 之间的数字，localaddr 填本机的 IP 地址。
url-ts-size = pkt_size 不在 { $least } 到 { $most } 之间
    .cure = 请使用 pkt_size=1316，或去掉这个选项。
net-proxy-no-datagrams = 代理不转发 UDP
url-srt-no-port = 地址中没有端口
    .cure = 请使用 srt://主机:端口，例如 srt://live.example.com:9000?streamid=…
url-srt-path = srt:// 地址的端口后面没有路径
    .cure = 请把流的名称写进 streamid 选项：srt://主机:端口?streamid=…
url-srt-login = srt:// 地址的主机前面没有用户名
    .cure = 请按服务器要求的格式，把登录信息写进 streamid 选项。
url-srt-passphrase = SRT 密码为 10 到 79 个字符
    .cure = 请向服务器管理员索取密码。
url-srt-option = srt:// 地址没有选项 { $name }
    .cure = 只能使用 streamid、latency、passphrase、pbkeylen 和 mode。
url-srt-value = { $name } 的值无效
    .cure = latency 填毫秒数，最大 10000；pbkeylen 填 16、24 或 32；mode 填 caller、listener 或 rendezvous；streamid 最多 512 字节。
url-srt-rendezvous = 在 rendezvous 模式下，onair 不使用密码和流 ID
    .cure = 请让一端作为 caller，另一端作为 listener。
url-srt-listener-id = 只有 caller 才指定流
    .cure = 请去掉 streamid 选项，或使用 mode=caller。
url-srt-micros = 延迟按 { $millis } 毫秒处理，因为 OBS 和 ffmpeg 用微秒填写
    .cure = 如果没错，请写成 latency={ $millis }。
net-srt-silent = { $seconds } 秒内没有 SRT 监听端响应
    .cure = 请检查地址和 UDP 端口，确认服务器在等待 SRT 连接。防火墙可能拦截了 UDP。
net-srt-no-caller = { $seconds } 秒内没有 SRT 呼叫端连接
    .cure = 请让接收端以 caller 模式连接这台电脑的地址。防火墙可能拦截了 UDP。
net-bind-port-taken = 另一个程序正在使用这个 UDP 端口
target-built-in-off = 内置服务器没有运行
    .cure = 请启动内置服务器，或停用这个推流目标。
target-key-missing = 缺少推流密钥
server-no-randomness = 系统无法提供随机数
keyring-failed = 密钥环出错：{ $reason }
keyring-no-answer = 密钥环没有响应
keys-file-unreadable = onair 的密钥文件 { $path } 已损坏
route-ports = 端口之间请用逗号分隔，如 1935, 443, 80
route-too-many-ports = 最多可填写 { $most } 个端口
route-bind = 请填写本机的一个 IP 地址，或网络接口，例如 eth1
route-proxy = 代理请写成 http://主机:端口，或 socks5://主机:端口
route-proxy-more = 代理地址的端口后面不能再有其他内容
route-pin = 证书指纹应为 64 个十六进制数字（SHA-256），冒号可省略
