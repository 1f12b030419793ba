"""The site has its files where the repository has them, so that every link of the texts works in both as it stands."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

OUTSIDE = ["README.md", "config/README.md", "resources/clipart/README.md", "CITATION.cff"]
SHOWN = (".md", ".png", ".json", ".html")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    root = Path(config.config_file_path).parent
    found = [file for file in files if file.src_dir == config.docs_dir]
    for file in found:
        files.remove(file)
    for path in [*OUTSIDE, *(f"docs/{file.src_uri}" for file in found if file.src_uri.endswith(SHOWN))]:
        files.append(File.generated(config, path, abs_src_path=str(root / path)))
    return files
