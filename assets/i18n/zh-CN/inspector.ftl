# 设置 › 输出
output-usual = 常用：{ $value }
output-next = 关键帧和音频的改动在下次开播时生效。

# 画质弹窗
quality-size = 分辨率
quality-rate = 每秒帧数

# 右侧面板
tab-broadcast = 直播
tab-chat = 聊天
chat-studio-none = 还没有聊天
chat-studio-advice = 这里显示你正在观看的直播的聊天。onair 服务器上的直播都有聊天：推流到内置服务器，再观看自己的直播即可。
chat-studio-open = 打开观看页
replay-off = 回放缓存已关闭，请在设置里选择时长。
screenshot-off = 还没有画面。

# 推流目标
target-off = 已关闭
target-lacks-server = 请填写推流地址
target-lacks-key = 请填写推流密钥
target-key-keyring = 密钥已保存在密钥环
target-key-file = 密钥已保存在文件里
target-key-forgotten = 密钥只在本次运行有效
target-reconnects = 只有这个目标会重连，其他目标继续直播。
target-apply = 应用并重连
target-discard = 放弃修改
ready-targets = { $count ->
    [0] 没有目标
   *[other] { $count } 个目标
}
tip-ready-targets = 打开的目标都有地址和密钥。
tip-not-ready-targets = 没有打开任何目标，或有目标缺少地址或密钥。

# 属性面板
tab-inspector = 属性
inspector-nothing = 还没有选中任何来源
inspector-nothing-advice = 在列表或画面里点一个来源，它的所有设置都会显示在这里。
inspector-several = 还选中了 { $count } 个来源，这里的修改只影响当前这个。
inspector-place = 位置和大小
inspector-locked = 已锁定。先在列表里解锁，才能移动。
inspector-crop = 裁剪
inspector-filters = 滤镜
crop-letter-left = 左
crop-letter-right = 右
crop-letter-top = 上
crop-letter-bottom = 下

# 混音器
mixer-settings-of = { $name }的音频设置
monitoring-is-off = 监听：关
