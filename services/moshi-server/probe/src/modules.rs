//! What the server says about itself: /api/modules_info and the counters in /metrics.

use std::io::Error;
use std::net::SocketAddr;
use std::time::Instant;

use crate::http;

/// How to ask a module's loop for a sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// BatchedAsr and PyBatchedAsr, which also share their counters.
    Asr,
    /// Py, which is TTS.
    Tts,
}

/// A module with a model loop of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    pub kind: Kind,
    pub path: String,
    pub used: u64,
    pub total: u64,
}

/// All modules that have a loop; the other kinds (Asr, Tts, Lm, Mimi, PyPost) do not appear in modules_info.
pub fn fetch(address: SocketAddr, deadline: Instant) -> Result<Vec<Module>, Error> {
    let body = http::get(address, "/api/modules_info", deadline)?;
    let objects = json_objects(&body).ok_or_else(|| Error::other("/api/modules_info is not what 0.6.4 answers"))?;
    Ok(objects.iter().filter_map(|object| module(object)).collect())
}

fn module(object: &[(String, String)]) -> Option<Module> {
    let get = |name: &str| object.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let kind = match get("type")? {
        "batched_asr" | "py_batched_asr" => Kind::Asr,
        "py" => Kind::Tts,
        _ => return None,
    };
    let number = |name| get(name).and_then(|value| value.parse().ok());
    Some(Module { kind, path: get("path")?.to_string(), used: number("used_slots")?, total: number("total_slots")? })
}

/// Counters that only a loop moves: steps, and channels that ended, since nothing but the loop ends one.
pub fn fetch_counters(address: SocketAddr, kind: Kind, deadline: Instant) -> Result<u64, Error> {
    Ok(counters(&http::get(address, "/metrics", deadline)?, kind))
}

fn counters(metrics: &str, kind: Kind) -> u64 {
    let names = match kind {
        Kind::Asr => ["asr_model_step_duration_count", "asr_connection_num_steps_count"],
        Kind::Tts => ["py_total_steps", "py_model_connection_num_steps_count"],
    };
    // A counter that was never touched does not appear.
    metrics
        .lines()
        .filter(|line| line.split(['{', ' ']).next().is_some_and(|name| names.contains(&name)))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum()
}

/// `[{"name": "value", …}, …]` with nothing but strings in it, which is all that modules_info holds.
fn json_objects(text: &str) -> Option<Vec<Vec<(String, String)>>> {
    let mut rest = text.trim().strip_prefix('[')?.trim_start();
    let mut objects = Vec::new();
    while let Some(mut inner) = rest.strip_prefix('{') {
        let mut object = Vec::new();
        inner = inner.trim_start();
        while inner.starts_with('"') {
            let (key, after) = json_string(inner)?;
            let (value, after) = json_string(after.trim_start().strip_prefix(':')?.trim_start())?;
            object.push((key, value));
            inner = after.trim_start();
            inner = inner.strip_prefix(',').map_or(inner, str::trim_start);
        }
        objects.push(object);
        rest = inner.strip_prefix('}')?.trim_start();
        rest = rest.strip_prefix(',').map_or(rest, str::trim_start);
    }
    (rest == "]").then_some(objects)
}

/// A string at the start of the text, and what follows it. What is compared is ASCII: \u escapes stay as they are.
fn json_string(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut characters = inner.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &inner[at + 1..])),
            '\\' => match characters.next()?.1 {
                'u' => value.push_str("\\u"),
                escaped => value.push(escaped),
            },
            _ => value.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules() {
        let text = r#"[{"path":"/api/asr-streaming","lm":"a \"b\"\\","used_slots":"1","total_slots":"2","type":"batched_asr"},
                       {"type":"py","path":"/api/tts_streaming","used_slots":"0","total_slots":"64","script":"tts.py"},
                       {"type":"new","path":"/x","used_slots":"0","total_slots":"1"}]"#;
        let modules: Vec<Module> = json_objects(text).unwrap().iter().filter_map(|object| module(object)).collect();
        let expected = [
            Module { kind: Kind::Asr, path: "/api/asr-streaming".to_string(), used: 1, total: 2 },
            Module { kind: Kind::Tts, path: "/api/tts_streaming".to_string(), used: 0, total: 64 },
        ];
        assert_eq!(modules, expected);
    }

    #[test]
    fn not_modules() {
        assert_eq!(json_objects("[]"), Some(vec![]));
        for text in ["", "{}", "[", r#"[{"a":1}]"#, r#"[{"a":"b]"#, "<html>"] {
            assert_eq!(json_objects(text), None, "{text}");
        }
    }

    #[test]
    fn steps() {
        let metrics = "# TYPE py_total_steps counter\npy_total_steps{handler=\"all\"} 40\npy_total_steps_x 9\n\
                       asr_model_step_duration_bucket{le=\"0.02\"} 7\nasr_model_step_duration_sum 0.3\n\
                       asr_model_step_duration_count 8\nasr_connection_num_steps_count 2\n";
        assert_eq!(counters(metrics, Kind::Tts), 40);
        assert_eq!(counters(metrics, Kind::Asr), 10);
        assert_eq!(counters("", Kind::Asr), 0);
    }
}
