"""What images weigh and what starts and rebuilds of them cost."""
