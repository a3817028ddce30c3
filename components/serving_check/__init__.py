"""The last check before a push: does the exported model answer, alike by every way to ask it?"""
