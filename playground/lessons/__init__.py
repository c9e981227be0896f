"""Guided lessons: what they say is data in `assets/lessons/`, what they show comes from the models while somebody reads.

`content` reads and checks the files, `kinds` are the things a step can show, `grading` tells which answer is right, `walk` is where a
visitor stands.
"""
