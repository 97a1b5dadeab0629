"""Name the few colours that documents and charts are drawn with."""

INK = "#1b1f23"
QUIET = "#5f6b76"
HAIRLINE = "#c3cad1"
FAINT = "#eef2f5"
ACCENT = "#0b5a73"
ALARM = "#b3261e"
BAND = "#d5e6ec"
BESIDE = "#a3448f"
WATERMARK = "#e9ecef"
PAPER = "#ffffff"

# Told apart by people with colour-blindness too (after Okabe and Ito, darkened for thin lines).
SERIES = ("#0b5a73", "#d55e00", "#00805d", "#a3448f", "#8a6d00", "#3b3f8f")
