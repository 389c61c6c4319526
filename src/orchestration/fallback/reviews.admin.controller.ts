import { Body, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { AdminController, type Call, Roles, TheCall } from '../../platform/index.js';
import { type ReviewBody, type ReviewListQuery, reviewListSchema, reviewSchema } from './review-schemas.js';
import { type DecidedReviewView, Reviews, type ReviewView } from './reviews.js';

/** Verifications that wait for a person. */
@AdminController('admin/v1')
export class ReviewsAdminController {
  constructor(private readonly reviews: Reviews) {}

  @Get('reviews')
  @Roles('operator')
  open(
    @Query({ schema: reviewListSchema }) query: ReviewListQuery,
  ): Promise<{ items: ReviewView[]; nextCursor: string | null }> {
    return this.reviews.open(query);
  }

  @Get('verifications/:id/review')
  @Roles('operator', 'auditor')
  read(@TheCall() call: Call, @Param('id') id: string): Promise<DecidedReviewView> {
    return this.reviews.read(call, id);
  }

  @Post('verifications/:id/review')
  @HttpCode(200)
  @Roles('operator')
  decide(
    @TheCall() call: Call,
    @Param('id') id: string,
    @Body({ schema: reviewSchema }) body: ReviewBody,
  ): Promise<ReviewView> {
    return this.reviews.decide(call, id, body);
  }
}
