# shellcheck shell=sh
# Steps of the packages for the service. bundle.sh puts this file into their scripts. If systemd does not run, as in a
# container, the units are only files.

# after_install [IS_UPGRADE]
after_install() {
    # The user of the service.
    ! command -v systemd-sysusers >/dev/null || systemd-sysusers onair.conf
    [ -d /run/systemd/system ] || return 0
    systemctl daemon-reload || true
    [ -z "$1" ] || systemctl try-restart onair.service || true
    [ -z "$1" ] || systemctl try-restart "onair-live@*.service" || true
}

before_remove() {
    [ -d /run/systemd/system ] || return 0
    systemctl stop "onair-live@*.service" || true
    systemctl stop onair.socket onair.service || true
}

# after_remove [IS_FINAL]: with an argument, nothing starts the service if the package is installed again.
after_remove() {
    [ -z "$1" ] || rm -f /etc/systemd/system/*.wants/onair.service /etc/systemd/system/*.wants/onair.socket \
        /etc/systemd/system/*.wants/onair-live@*.service
    [ ! -d /run/systemd/system ] || systemctl daemon-reload || true
}
