// SPDX-License-Identifier: MIT OR Apache-2.0
use super::*;

fn read(text: &str) -> Result<Settings, String> {
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

#[test]
fn an_empty_table_is_the_defaults() {
    assert_eq!(read(""), Ok(Settings::default()));
    assert_eq!(Settings::default().check(), Ok(()));
}

#[test]
fn names_are_kebab_case() {
    let text = "algorithm = \"prefer\"\nlabels = [\"gpu\"]\nprefer-by = \"static\"\nblackout = 3\n\
                utilization = [\"named:gpu\", \"memory\"]\nmin-share = 0.1\npanic-mode = \"none\"";
    let settings = read(text).unwrap();
    assert_eq!(settings.algorithm, Algorithm::Prefer);
    assert_eq!(settings.prefer_by, Algorithm::Static);
    assert_eq!(
        settings.utilization,
        [Source::Named("gpu".into()), Source::Memory]
    );
    assert_eq!((settings.blackout, settings.min_share), (3.0, 0.1));
    assert_eq!(settings.panic_mode, PanicMode::None);
    assert_eq!(settings.check(), Ok(()));
}

#[test]
fn unknown_names_are_refused() {
    assert!(read("min_share = 0.1")
        .unwrap_err()
        .contains("unknown field `min_share`"));
    assert!(read("algorithm = \"best\"")
        .unwrap_err()
        .contains("unknown variant `best`"));
    let error = read("utilization = [\"disk\"]").unwrap_err();
    assert!(
        error.contains("write application, cpu, memory or named:NAME"),
        "{error}"
    );
}

#[test]
fn the_error_names_the_field_and_its_range() {
    let settings = Settings {
        interval: 0.0,
        ..Settings::default()
    };
    assert_eq!(
        settings.check().unwrap_err().to_string(),
        "interval = 0: write 0.1 to 30"
    );
    let settings = Settings {
        smoothing: f64::NAN,
        ..Settings::default()
    };
    assert!(settings
        .check()
        .unwrap_err()
        .to_string()
        .starts_with("smoothing = NaN"));
    let settings = Settings {
        utilization: Vec::new(),
        ..Settings::default()
    };
    assert!(settings.check().is_err());
    let settings = Settings {
        expiry: 200.0,
        ..Settings::default()
    };
    assert!(settings
        .check()
        .unwrap_err()
        .to_string()
        .starts_with("hard-limit is shorter"));
}

#[test]
fn prefer_needs_labels_and_another_algorithm() {
    let settings = Settings {
        algorithm: Algorithm::Prefer,
        ..Settings::default()
    };
    assert!(settings
        .check()
        .unwrap_err()
        .to_string()
        .starts_with("labels is empty"));
    let settings = Settings {
        prefer_by: Algorithm::Prefer,
        ..Settings::default()
    };
    assert_eq!(settings.check(), Err(SettingsError::PreferByPrefer));
}

#[test]
fn sources_read_as_they_are_written() {
    for text in ["application", "cpu", "memory", "named:a b"] {
        assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
    }
    assert!("named:".parse::<Source>().is_err());
}
