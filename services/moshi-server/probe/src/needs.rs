//! What a config makes moshi-server do at its start, for the start script: a word and a value a line. As moshi-server
//! 0.6.4 does it: main.rs (which settings are files), utils.rs (`$VAR`), tts.py and batched_asr.py (their defaults).
//!
//! | line | meaning |
//! | --- | --- |
//! | `file NAME` | a file of the hub that is loaded: hf://…, or hf-snapshot://… |
//! | `log-folder PATH` | a folder that is made and written to |
//! | `log-file PATH` | the log file, without its day |
//! | `module NAME TYPE` | a module |
//! | `bf16 NAME` | a module that takes bf16 on a card, having no dtype_override |
//! | `device NAME DEVICE` | a module whose Python script chooses its device itself |
//! | `voice-folder PATH`, `voice PATH` | a local folder of voices and its default voice, without the file's ending |
//! | `keys COUNT` | how many keys may connect, where there is a list of them |
//! | `anonymous true` | allow_anonymous |

use crate::config::{Config, Module};
use crate::toml::{Table, Value};

const FILE: &str = "hf://";
const SNAPSHOT: &str = "hf-snapshot://";
const MODELS: [&str; 3] = ["lm_model_file", "text_tokenizer_file", "audio_tokenizer_file"];
const CPU: &str = "cpu";

type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The lines, or which value cannot stand in a line.
pub fn lines(config: &Config, environment: Environment) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    if config.has_keys {
        lines.push(("keys", config.keys.len().to_string()));
    }
    if config.anonymous {
        lines.push(("anonymous", "true".to_string()));
    }
    let root = |key| config.document.text(key).map(|text| (text, expand(text, environment)));
    if let Some((_, folder)) = root("log_dir") {
        if let Some((_, name)) = root("instance_name") {
            lines.push(("log-file", format!("{}log.{name}", prefix(&folder))));
        }
        lines.push(("log-folder", here(folder)));
    }
    for key in ["static_dir", "log_dir", "instance_name"] {
        lines.extend(root(key).filter(|(text, _)| text.starts_with(FILE)).map(|(text, _)| ("file", text.to_string())));
    }
    for module in &config.modules {
        lines.push(("module", format!("{} {}", module.name, module.kind)));
        lines.extend(files(module).into_iter().map(|file| ("file", file.to_string())));
        if module.table.get("lm_model_file").is_some() && module.table.get("dtype_override").is_none() {
            lines.push(("bf16", module.name.clone()));
        }
        if let Some(device) = device(module) {
            lines.push(("device", format!("{} {device}", module.name)));
        }
        lines.extend(log_folder(module, environment).map(|folder| ("log-folder", here(folder))));
        lines.extend(voices(module, environment));
    }
    lines
        .into_iter()
        .map(|(word, value)| {
            if value.contains(char::is_control) {
                return Err(format!("{word} {value:?} has a control character"));
            }
            Ok(format!("{word} {value}"))
        })
        .collect()
}

/// The same config with every script on the CPU that the server alone would leave on a card.
pub fn on_cpu(config: &Config) -> Result<Table, String> {
    let mut document = config.document.clone();
    for module in config.modules.iter().filter(|module| device(module).is_some_and(|device| device != CPU)) {
        let path = ["modules".to_string(), module.name.clone(), "py".to_string()];
        document.enter(&path)?.set("device", Value::Text(CPU.to_string()));
    }
    Ok(document)
}

/// `$NAME` becomes the variable's value, or nothing; no braces, no way to escape it.
fn expand(text: &str, environment: Environment) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        expanded.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        if end == 0 || rest.starts_with(|c: char| c.is_ascii_digit()) {
            expanded.push('$');
            continue;
        }
        expanded.push_str(&environment(&rest[..end]).unwrap_or_default());
        rest = &rest[end..];
    }
    expanded + rest
}

/// An empty path is the working directory.
fn here(folder: String) -> String {
    if folder.is_empty() {
        ".".to_string()
    } else {
        folder
    }
}

fn prefix(folder: &str) -> String {
    if folder.is_empty() || folder.ends_with('/') {
        folder.to_string()
    } else {
        format!("{folder}/")
    }
}

/// The names of the hub in the settings that a module of this type loads.
fn files(module: &Module) -> Vec<&str> {
    let settings: &[&str] = match module.kind.as_str() {
        "Asr" | "BatchedAsr" | "Lm" => &MODELS,
        "Tts" => &[MODELS[0], MODELS[1], MODELS[2], "speaker_tokenizer_file", "voice_dir", "voices"],
        "Py" | "PyBatchedAsr" => &["script", "text_tokenizer_file", "py"],
        "PyPost" => &["script", "py"],
        "Mimi" => &["audio_tokenizer_file"],
        _ => &[],
    };
    let texts = settings.iter().filter_map(|key| module.table.get(key)).flat_map(Value::texts);
    let mut found: Vec<&str> = texts.filter(|text| text.starts_with(FILE)).collect();
    let voices = module.python().and_then(|table| table.text("voice_folder"));
    found.extend(voices.filter(|text| text.starts_with(SNAPSHOT)));
    found
}

/// Where a module's Python script computes. None for modules without one, and for a script of the user's own that
/// sets no device.
fn device(module: &Module) -> Option<&str> {
    let given = module.python().and_then(|table| table.text("device"));
    let own = module.table.get("script").is_some();
    match module.kind.as_str() {
        "Py" | "PyBatchedAsr" if !own => Some(given.unwrap_or("cuda")),
        "PyPost" if !own => Some(given.unwrap_or(CPU)),
        "Py" | "PyBatchedAsr" | "PyPost" => given,
        _ => None,
    }
}

/// The folder that a module's Python script makes.
fn log_folder(module: &Module, environment: Environment) -> Option<String> {
    if let Some(given) = module.python().and_then(|table| table.text("log_folder")) {
        return Some(expand(given, environment));
    }
    let makes = ["Py", "PyBatchedAsr"].contains(&module.kind.as_str()) && module.table.get("script").is_none();
    environment("HOME").filter(|_| makes).map(|home| format!("{}tmp/tts-service", prefix(&home)))
}

/// A folder of the user's own and the voice that tts.py does not start without.
fn voices(module: &Module, environment: Environment) -> Vec<(&'static str, String)> {
    let table = module.python().filter(|_| module.kind == "Py" && module.table.get("script").is_none());
    let Some((table, folder)) = table.and_then(|table| Some((table, table.text("voice_folder")?))) else {
        return Vec::new();
    };
    if folder.starts_with(FILE) || folder.starts_with(SNAPSHOT) {
        return Vec::new();
    }
    let folder = here(expand(folder, environment));
    let voice = expand(table.text("default_voice").unwrap_or("barack_demo.wav"), environment);
    vec![("voice", format!("{}{voice}", prefix(&folder))), ("voice-folder", folder)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str) -> Option<String> {
        [("HOME", "/tmp"), ("A_1", "x"), ("EMPTY", "")]
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_string())
    }

    fn told(text: &str) -> Vec<String> {
        lines(&Config::parse(text).unwrap(), &environment).unwrap()
    }

    #[test]
    fn variables_as_the_server_expands_them() {
        for (text, expanded) in [
            ("$HOME/tmp/tts-logs", "/tmp/tmp/tts-logs"),
            ("a$A_1-$A_1$A_1", "ax-xx"),
            ("$NOWHERE/$EMPTY/x", "//x"),
            ("${HOME} $ $1 100$", "${HOME} $ $1 100$"),
            ("$$HOME", "$/tmp"),
            ("\\$HOMEé", "\\/tmpé"),
        ] {
            assert_eq!(expand(text, &environment), expanded, "{text}");
        }
    }

    #[test]
    fn the_configs_of_this_repository() {
        let stt = told(include_str!("../../../stt/configs/stt.toml"));
        assert_eq!(
            stt,
            [
                "keys 1",
                "log-file /tmp/unmute_logs/log.stt",
                "log-folder /tmp/unmute_logs",
                "module asr BatchedAsr",
                "file hf://kyutai/stt-1b-en_fr-candle/model.safetensors",
                "file hf://kyutai/stt-1b-en_fr-candle/tokenizer_en_fr_audio_8000.model",
                "file hf://kyutai/stt-1b-en_fr-candle/mimi-pytorch-e351c8d8@125.safetensors",
                "bf16 asr",
            ]
        );
        let tts = told(include_str!("../../../tts/configs/tts.toml"));
        assert_eq!(
            tts,
            [
                "keys 1",
                "log-file /tmp/unmute_logs/log.tts",
                "log-folder /tmp/unmute_logs",
                "module tts_py Py",
                "file hf://kyutai/tts-1.6b-en_fr/tokenizer_spm_8k_en_fr_audio.model",
                "file hf-snapshot://kyutai/tts-voices/**/*.safetensors",
                "device tts_py cuda",
                "log-folder /tmp/unmute_logs",
            ]
        );
    }

    #[test]
    fn only_what_the_server_loads_is_a_file() {
        let text = "x = \"hf://no/no/no\" # \"hf://no/no/no\"\n[modules.a]\ntype = \"Mimi\"\n\
                    audio_tokenizer_file = \"hf://o/r/f\" # was 'hf://no/no/no'\nlm_model_file = \"hf://no/no/no\"\n\
                    [modules.b]\ntype = 'PyPost'\nscript = 'hf://o/r/s.py'\npy.deep = [{ x = 'hf://o/r/d' }]\n";
        let files: Vec<String> = told(text).into_iter().filter(|line| line.starts_with("file")).collect();
        assert_eq!(files, ["file hf://o/r/f", "file hf://o/r/s.py", "file hf://o/r/d"]);
    }

    #[test]
    fn folders_and_voices() {
        let text = "log_dir = \"$HOME/tmp/tts-logs\"\ninstance_name = 'a$A_1'\n[modules.t]\ntype = \"Py\"\n";
        assert_eq!(
            told(text),
            [
                "log-file /tmp/tmp/tts-logs/log.ax",
                "log-folder /tmp/tmp/tts-logs",
                "module t Py",
                "device t cuda",
                "log-folder /tmp/tmp/tts-service",
            ]
        );
        let own = told(&format!("{text}[modules.t.py]\nvoice_folder = '/voices/'\nlog_folder = ''\ndevice = 'cpu'"));
        assert_eq!(
            own[3..],
            ["device t cpu", "log-folder .", "voice /voices/barack_demo.wav", "voice-folder /voices/"]
        );
        assert_eq!(told("log_dir = ''\ninstance_name = 'x'"), ["log-file log.x", "log-folder ."]);
    }

    #[test]
    fn scripts_of_the_users_own_keep_their_device_unless_they_name_one() {
        let of = |text: &str| Config::parse(text).unwrap().modules.first().and_then(|m| device(m).map(str::to_string));
        assert_eq!(of("[modules.a]\ntype = 'Py'\nscript = 'x'"), None);
        assert_eq!(of("[modules.a]\ntype = 'Py'\nscript = 'x'\npy.device = 'cuda:1'"), Some("cuda:1".to_string()));
        assert_eq!(of("[modules.a]\ntype = 'PyBatchedAsr'"), Some("cuda".to_string()));
        assert_eq!(of("[modules.a]\ntype = 'PyPost'"), Some("cpu".to_string()));
        assert_eq!(of("[modules.a]\ntype = 'BatchedAsr'"), None);
    }

    #[test]
    fn everything_on_the_cpu() {
        let text = "[modules.\"a b\"]\ntype = 'Py'\npy = { device = 'cuda', n_q = 24 }\n[modules.c]\ntype = 'Py'\n\
                    [modules.d]\ntype = 'BatchedAsr'\n";
        let derived = on_cpu(&Config::parse(text).unwrap()).unwrap().to_string();
        let again = Config::parse(&derived).unwrap();
        let python: Vec<String> =
            again.modules.iter().map(|m| m.python().map(ToString::to_string).unwrap_or_default()).collect();
        assert_eq!(python, ["device = \"cpu\"\nn_q = 24\n", "device = \"cpu\"\n", ""]);
    }

    #[test]
    fn no_value_breaks_a_line() {
        let config = Config::parse("log_dir = \"a\\nfile hf://x/y/z\"").unwrap();
        assert!(lines(&config, &environment).unwrap_err().contains("control character"));
    }
}
