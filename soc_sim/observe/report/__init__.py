"""The report: one page of HTML that holds everything it shows. README.md says what and how."""
