"""Error reports with screenshot and attachments."""
