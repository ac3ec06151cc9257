# 窗口里的使用指南。
help-start = 入门
help-tasks = 操作指南
help-reference = 参考（英文）
help-background = 原理（英文）
help-back = 返回
help-copy = 复制 { $code }
