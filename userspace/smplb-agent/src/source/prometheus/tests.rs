// SPDX-License-Identifier: MIT OR Apache-2.0
use std::time::Duration;

use super::*;
use crate::source::testing::Website;

fn prometheus(site: &Website, metrics: &str) -> Prometheus {
    let mut table: toml::Table = metrics.parse().unwrap();
    table.insert("url".to_owned(), site.url("/metrics").into());
    let settings: Settings = table.try_into().unwrap();
    settings.check().unwrap();
    Prometheus::new(settings)
}

fn metric(rest: &str) -> String {
    format!("[[metric]]\n{rest}\n")
}

#[tokio::test]
async fn a_gauge_is_the_sum_of_its_series() {
    let site = Website::start(
        "# TYPE busy gauge\nbusy{pool=\"a\"} 30\nbusy{pool=\"b\"} 20\nbusy{pool=\"x\"} NaN\n\
         busy_other 7\nqueue 3\n",
    )
    .await;
    let mut source = prometheus(
        &site,
        &(metric("name = \"busy\"\nfield = \"application-utilization\"\nscale = 0.01")
            + &metric("name = \"queue\"\nfield = \"named:queue\"")
            + &metric("name = \"busy\"\nlabels = {pool = \"b\"}\nfield = \"clients\"")
            + &metric("name = \"gone\"\nfield = \"eps\"")),
    );
    let reading = source.read().await.unwrap();
    let get = |field: &str| reading.report.get(&field.parse().unwrap());
    assert_eq!(get("application-utilization"), Some(0.5));
    assert_eq!(get("named:queue"), Some(3.0));
    assert_eq!(get("clients"), Some(20.0));
    assert_eq!(get("eps"), None);
    assert_eq!(reading.missing.len(), 1);
    assert!(
        reading.missing[0].ends_with("no series of gone matches"),
        "{reading:?}"
    );
}

#[tokio::test]
async fn rates_and_means_come_from_growth() {
    let site =
        Website::start("n{code=\"200\"} 100\nn{code=\"500\"} 5\ntime_sum 50.0\ntime_count 105\n")
            .await;
    let mut source = prometheus(
        &site,
        &(metric("name = \"n\"\nfield = \"rps\"\nrate = true")
            + &metric("name = \"n\"\nlabels = {code = \"5*\"}\nfield = \"eps\"\nrate = true")
            + &metric("name = \"late\"\nfield = \"named:late\"\nrate = true")
            + &metric("name = \"time_sum\"\nper = \"time_count\"\nfield = \"exec-seconds\"")),
    );
    assert!(source.read().await.unwrap().report.is_empty());
    let start = Instant::now();
    tokio::time::sleep(Duration::from_millis(200)).await;
    site.answer(
        "n{code=\"200\"} 180\nn{code=\"500\"} 20\nn{code=\"503\"} 5\ntime_sum 51.0\n\
         time_count 205\nlate 10\n",
    );
    let reading = source.read().await.unwrap();
    let slowest = 1.0 / start.elapsed().as_secs_f64();
    let get = |field: &str| reading.report.get(&field.parse().unwrap()).unwrap();
    let rps = get("rps");
    assert!(rps >= 100.0 * slowest * 0.8 && rps <= 100.0 / 0.19, "{rps}");
    assert!((get("eps") / rps - 0.2).abs() < 1e-9);
    assert!((get("named:late") / rps - 0.1).abs() < 1e-9);
    assert!((get("exec-seconds") - 0.01).abs() < 1e-9);
    // Nothing executed: rates are 0, and the mean time is not known.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let reading = source.read().await.unwrap();
    assert_eq!(reading.report.get(&Field::Rps), Some(0.0));
    assert_eq!(reading.report.get(&Field::ExecSeconds), None);
    // A restart begins to count again.
    site.answer("n{code=\"200\"} 1\ntime_sum 0.1\ntime_count 1\nlate 0\n");
    let reading = source.read().await.unwrap();
    assert_eq!(reading.report.get(&Field::Rps), None);
    assert_eq!(reading.report.get(&Field::ExecSeconds), None);
}

#[tokio::test]
async fn growth_is_not_counted_over_a_failure() {
    let site = Website::start("n 100\n").await;
    let mut source = prometheus(&site, &metric("name = \"n\"\nfield = \"rps\"\nrate = true"));
    source.read().await.unwrap();
    site.answer_raw("no HTTP\r\n\r\n".to_owned());
    source.read().await.unwrap_err();
    site.answer("n 1000000\n");
    assert!(source.read().await.unwrap().report.is_empty());
}

#[tokio::test]
async fn figures_that_cannot_be_are_left_out_alone() {
    let site = Website::start("a -1\nb 2\n").await;
    let mut source = prometheus(
        &site,
        &(metric("name = \"a\"\nfield = \"rps\"") + &metric("name = \"b\"\nfield = \"eps\"")),
    );
    let reading = source.read().await.unwrap();
    assert_eq!(reading.report.get(&Field::Rps), None);
    assert_eq!(reading.report.get(&Field::Eps), Some(2.0));
    assert_eq!(reading.missing, ["a: gives what rps cannot be"]);
    site.answer("a many\nb 2\n");
    let error = source.read().await.unwrap_err().to_string();
    assert!(error.ends_with("a has no number"), "{error}");
}
