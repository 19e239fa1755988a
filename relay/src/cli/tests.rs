use std::time::Duration;

use clap::CommandFactory as _;
use shared::limits::Rate;

use super::*;
use crate::{lobby::Config, server::Settings};

fn serve(arguments: &[&str]) -> Result<Serve, clap::error::ErrorKind> {
    let cli = Cli::try_parse_from(["relay", "serve"].iter().chain(arguments))
        .map_err(|error| error.kind())?;
    match cli.command {
        Command::Serve(serve) => Ok(*serve),
        Command::Status { .. } | Command::Stop => unreachable!("`serve` was asked for"),
    }
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn the_defaults_are_those_of_the_lobby_and_the_limits() {
    let settings = Settings::new(serve(&[]).unwrap(), 1, false, std::time::Instant::now());
    assert_eq!(format!("{:?}", settings.config), format!("{:?}", Config::default()));
    assert_eq!(settings.limits(), limits::Limits::default());
    assert_eq!(settings.options.timing.handshake.0, limits::HANDSHAKE);
    assert_eq!(settings.options.timing.write_deadline.0, limits::WRITE_DEADLINE);
    assert_eq!(settings.options.limits.outbound_bytes.0, limits::OUTBOUND_BYTES);
    assert_eq!(settings.idle_exit(), None);
    assert_eq!(settings.options.limits.max_connections.0, limits::CONNECTIONS);
    assert_eq!(settings.options.limits.max_connections_per_user.0, limits::CONNECTIONS_PER_USER);
}

#[test]
fn short_lengths_of_time_are_neither_too_short_nor_too_long() {
    assert_eq!("15s".parse::<ShortTime>(), Ok(Time(Duration::from_secs(15))));
    for absurd in ["0s", "1ns", "2h", "300000000000y", "off"] {
        assert!(absurd.parse::<ShortTime>().is_err(), "{absurd}");
    }
}

#[test]
fn where_there_are_several_accounts_none_can_have_more_than_half() {
    let options = ["--multi-user", "--waiting-per-topic", "7", "--topics", "1"];
    let settings = Settings::new(serve(&options).unwrap(), 1, false, std::time::Instant::now());
    assert_eq!((settings.config.waiting_per_user, settings.config.topics_per_user), (4, 1));
}

#[test]
fn only_a_relay_that_replaces_another_delays_pairing() {
    let now = std::time::Instant::now();
    let replacing = Settings::new(serve(&[]).unwrap(), 1, true, now);
    assert_eq!(replacing.config.pairing_from, Some(now + Duration::from_secs(2)));
}

#[test]
fn rates_are_a_burst_and_how_many_follow() {
    let limit =
        |burst, interval_ms| Limit(Some(Rate::new(burst, Duration::from_millis(interval_ms))));
    let message_rate = |text: &str| {
        text.parse::<Limit<RatePerSecond>>().map(|rate| Limit(rate.0.map(|rate| rate.0)))
    };
    let next_rate = |text: &str| {
        text.parse::<Limit<RatePerMinute>>().map(|rate| Limit(rate.0.map(|rate| rate.0)))
    };
    assert_eq!(message_rate("5/2"), Ok(limit(5, 500)));
    assert_eq!(message_rate("1/1000"), Ok(limit(1, 1)));
    assert_eq!(next_rate("3/6"), Ok(limit(3, 10_000)));
    assert_eq!(next_rate("off"), Ok(Limit(None)));
    for nonsense in ["", "5", "5/", "/2", "0/2", "5/0", "5/2/1", "-1/2", "OFF"] {
        assert!(message_rate(nonsense).is_err(), "{nonsense}");
    }
}

#[test]
fn a_rate_is_kept_as_it_is_written() {
    fn check<const PERIOD_MS: u64>(per_period: u32) {
        let text = format!("5/{per_period}");
        let rate: RatePer<PERIOD_MS> = text.parse().unwrap();
        if per_period <= 10_000 {
            assert_eq!(rate.to_string(), text);
        }
        let all = rate.0.interval() * per_period;
        let period = Duration::from_millis(PERIOD_MS);
        // Not more than is written, and as good as not less.
        assert!((period..period + period / 10_000).contains(&all), "{text}: {all:?}");
    }
    for per_period in (1..=2_000).chain([9_999, 65_537, 100_000]) {
        check::<1_000>(per_period);
        check::<60_000>(per_period);
    }
}

#[test]
fn a_value_is_written_as_it_is_read() {
    for text in ["off", "10ms", "5s", "1m", "30m", "1h 30m"] {
        assert_eq!(text.parse::<Limit<Time>>().unwrap().to_string(), text);
    }
}

#[test]
fn what_can_be_off_can_be_off_and_nothing_else() {
    for option in ["--message-rate", "--next-rate", "--room-idle", "--queue-idle", "--idle-exit"] {
        assert!(serve(&[option, "off"]).is_ok(), "{option}");
    }
    for option in ["--away-after", "--grace", "--listening-for", "--match-wait", "--keep-alive"] {
        assert!(serve(&[option, "off"]).is_err(), "{option}");
        assert!(serve(&[option, "250ms"]).is_ok(), "{option}");
    }
}

#[test]
fn nothing_can_be_set_to_a_value_that_stops_the_relay() {
    for arguments in
        [["--keep-alive", "0s"], ["--max-connections", "0"], ["--max-connections-per-user", "0"]]
    {
        assert!(serve(&arguments).is_err(), "{arguments:?}");
    }
}

#[test]
fn the_socket_can_be_named_before_and_after_the_command() {
    for arguments in [["relay", "--socket", "/s", "status"], ["relay", "status", "--socket", "/s"]]
    {
        let cli = Cli::try_parse_from(arguments).unwrap();
        assert_eq!(cli.socket, Some(PathBuf::from("/s")));
    }
}
